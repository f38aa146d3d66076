import { test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isFault } from '#base/errors.ts'
import { plainContext } from '#base/context.ts'
import { newId } from '#base/ids.ts'
import { removeTree } from '#host/files.ts'
import { hypervisorSuite } from '../suite.ts'
import type { InstanceSpec } from '../contract.ts'
import { FakeHypervisor } from './fake.ts'

const specOf = (): InstanceSpec => {
  const id = newId()
  return {
    id, name: `server ${id.slice(0, 4)}`, vcpus: 1, memoryMib: 64, rootDisk: { base: { path: '/none', format: 'qcow2' }, sizeGib: 1 }, nics: [],
    smbios: { manufacturer: 'OpenStack Foundation', product: 'OpenStack Nova', version: '0', serial: id, uuid: id, family: 'Virtual Machine' },
  }
}

hypervisorSuite('fake', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'pileus-fake-'))
  const config = { stateDir, failures: [] }
  let driver = new FakeHypervisor(config)
  const harness = {
    driver, greeting: 'Booting', spec: specOf,
    failingSpec() { const spec = specOf(); driver.fail({ operation: 'ensure', id: spec.id }); return spec },
    async restart() { await driver.close(); harness.driver = driver = new FakeHypervisor(config) },
    killOutside: (id: string) => driver.kill(id),
    shutDownInside: (id: string) => driver.shutDown(id),
    leftovers: async () => [],
    close: () => removeTree(stateDir),
  }
  return harness
})

const ctx = plainContext()

test('a failure of the n-th call, of one instance, and one that comes after the work', async () => {
  const fake = new FakeHypervisor({ failures: [{ operation: 'ensure', nth: 2, message: 'no luck' }] })
  const [a, b] = [specOf(), specOf()]
  await fake.ensure(ctx, a)
  await assert.rejects(fake.ensure(ctx, b), error => isFault(error, 'unavailable') && error.message === 'no luck')
  await fake.ensure(ctx, b)
  const stop = fake.fail({ operation: 'remove', id: b.id, afterwards: true })
  await fake.remove(ctx, a.id)
  await assert.rejects(fake.remove(ctx, b.id))
  assert.deepEqual(await fake.list(ctx), [])
  stop()
  await fake.remove(ctx, b.id)
  assert.deepEqual(fake.calls, { ensure: 3, remove: 3, list: 1 })
})

test('a thousand hosts are small', async () => {
  const hosts = Array.from({ length: 1000 }, () => new FakeHypervisor({ vcpus: 64 }))
  await Promise.all(hosts.map(host => host.ensure(ctx, specOf())))
  assert.equal((await Promise.all(hosts.map(host => host.list(ctx)))).flat().length, 1000)
})
