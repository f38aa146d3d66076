import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { plainContext } from '#base/context.ts'
import { isFault } from '#base/errors.ts'
import { createFakeNetworkDriver } from './driver.ts'
import { networkDriverSuite } from '../suite.ts'
import { someNetwork, somePort, withLeases } from '../specs.testing.ts'

const folder = await mkdtemp(join(tmpdir(), 'pileus-fake-network-'))
after(() => rm(folder, { recursive: true, force: true }))

networkDriverSuite('fake', () => createFakeNetworkDriver({ statePath: join(folder, 'suite.json') }))

const ctx = plainContext()

test('a told failure strikes once, before or after the work', async () => {
  const driver = await createFakeNetworkDriver(), network = someNetwork(), port = somePort(network, '10.0.0.5')
  await driver.ensureNetwork(ctx, network)
  driver.fail({ call: 'ensurePort' })
  await assert.rejects(driver.ensurePort(ctx, port), error => isFault(error, 'unavailable'))
  assert.equal(driver.standing.ports.size, 0)
  driver.fail({ call: 'ensurePort', when: 'after', id: port.id, error: new Error('lost') })
  await driver.ensurePort(ctx, somePort(network, '10.0.0.6'))
  await assert.rejects(driver.ensurePort(ctx, port), /lost/)
  assert.equal(driver.standing.ports.size, 2)
  await driver.ensurePort(ctx, port)
  assert.deepEqual(driver.calls.at(-1), { call: 'ensurePort', id: port.id })
})

test('metadata is asked as a given guest', async () => {
  const driver = await createFakeNetworkDriver(), network = someNetwork(), port = somePort(network, '10.0.0.5')
  await driver.ensureNetwork(ctx, withLeases(network, [{ port, hostname: 'a' }]))
  assert.deepEqual(driver.callerAt(network.id, '10.0.0.5'), { networkId: network.id, portId: port.id })
  assert.equal(driver.callerAt(network.id, '10.0.0.6'), undefined)
  const seen: unknown[] = []
  const stop = await driver.serveMetadata(ctx, caller => seen.push(caller))
  driver.requestMetadata({ networkId: network.id, portId: port.id }, {} as IncomingMessage, {} as ServerResponse)
  assert.deepEqual(seen, [{ networkId: network.id, portId: port.id }])
  await stop()
  assert.throws(() => driver.requestMetadata({ networkId: network.id, portId: port.id }, {} as IncomingMessage, {} as ServerResponse))
})

test('what it holds is a copy', async () => {
  const driver = await createFakeNetworkDriver(), network = someNetwork()
  await driver.ensureNetwork(ctx, network)
  network.mtu = 9000
  assert.equal(driver.standing.networks.get(network.id)?.mtu, 1450)
})
