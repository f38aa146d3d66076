// What the driver does to the host itself: exactly one pair of links a provider network, and nothing at all once it is removed.
import assert from 'node:assert/strict'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isFault } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import { exec, spawnDetached } from '#host/exec.ts'
import { ipBatch, ipLinks } from '#host/ip.ts'
import { listNetns } from '#host/netns.ts'
import { signalProcess } from '#host/processes.ts'
import type { AddressGroupSpec, NetworkSpec, PortSpec, RouterSpec } from '../contract.ts'
import { allow, allowAllEgress, someExternal, someGateway, someNetwork, somePort, someRouter, withLeases } from '../specs.testing.ts'
import { ctx, hostPicture, makeBed, newCloudId, onOwnHost } from './bed.testing.ts'
import type { Bed } from './bed.testing.ts'

const { test } = await onOwnHost(import.meta.url)

interface World { external: NetworkSpec, network: NetworkSpec, group: AddressGroupSpec, router: RouterSpec, ports: PortSpec[] }
const world = (outside: string): World => {
  const external = someExternal(outside), plain = someNetwork({ prefix: '10.30.0' })
  const group = { id: newId(), addresses: ['10.30.0.11', '10.30.0.12', '10.31.0.0/24'] }, rules = [...allowAllEgress, allow({}), allow({ remoteGroup: group.id })]
  const ports = [somePort(plain, '10.30.0.11', { rules }), somePort(plain, '10.30.0.12', { rules })]
  return {
    external, group, ports, network: withLeases(plain, ports.map((port, i) => ({ port, hostname: `vm-${i}` }))),
    router: someRouter([plain], { gateway: someGateway(external, `${outside}.2`), floatingIps: [{ id: newId(), address: `${outside}.50`, fixedIp: '10.30.0.11' }] }),
  }
}
const ensureAll = async (bed: Bed, { external, network, group, router, ports }: World): Promise<void> => {
  await bed.driver.ensureNetwork(ctx, external)
  await bed.driver.ensureNetwork(ctx, network)
  await bed.driver.ensureGroup(ctx, group)
  for (const port of ports) await bed.driver.ensurePort(ctx, port)
  await bed.driver.ensureRouter(ctx, router)
}
const idsOf = ({ external, network, group, router, ports }: World) => ({ networks: [external.id, network.id].sort(), groups: [group.id], ports: ports.map(port => port.id).sort(), routers: [router.id] })

test('two clouds live side by side, and each leaves the host exactly as it was', async () => {
  const nothing = await hostPicture()
  const first = await makeBed(), second = await makeBed()
  try {
    const one = world('198.18.6'), two = world('198.18.7')
    await ensureAll(first, one)
    const stop = await first.driver.serveMetadata(ctx, (_caller, _req, res) => { res.end() })
    const alone = await hostPicture()
    const added = alone.links?.split('\n').filter(line => !nothing.links?.includes(line)) ?? []
    assert.equal(added.length, 1, `only the one pair's end is new: ${added.join('\n')}`)
    assert.equal(alone.nft, nothing.nft)
    assert.equal(alone.rules, nothing.rules)
    // New devices have parameters of their own; every other is as before.
    const others = (text = ''): string => text.split('\n').filter(line => !line.includes(`/pl${first.cloudId}`)).join('\n')
    assert.equal(others(alone.sysctls), others(nothing.sysctls))
    await assert.rejects(second.driver.ensureNetwork(ctx, someExternal('198.18.6')), error => isFault(error, 'conflict'), 'a range the host is on already')
    await ensureAll(second, two)
    assert.deepEqual([await first.driver.list(ctx), await second.driver.list(ctx)], [idsOf(one), idsOf(two)])
    await second.driver.removeAll(ctx)
    await second.driver.removeAll(ctx)
    const withoutSecond = await hostPicture()
    for (const part of Object.keys(alone)) assert.equal(withoutSecond[part], alone[part], `${part} after the second cloud`)
    await stop()
    await first.driver.removeAll(ctx)
    const after = await hostPicture()
    for (const part of Object.keys(nothing)) assert.equal(after[part], nothing[part], part)
    assert.deepEqual(await readdir(first.folder), [])
  } finally {
    await first.end()
    await second.end()
  }
})

test('removed one by one, nothing of an object is left', async () => {
  const bed = await makeBed()
  try {
    const outside = '198.18.8'
    await bed.driver.list(ctx)
    const cloudLinks = async (): Promise<string[]> => (await ipLinks(`pl${bed.cloudId}`)).map(link => link.ifname)
    const metadataLinks = async (): Promise<string[]> => (await ipLinks(`pl${bed.cloudId}-metadata`)).map(link => link.ifname)
    const rulesOf = async (netns: string): Promise<string> => (await exec('nsenter', [`--net=/run/netns/${netns}`, 'nft', 'list', 'ruleset'])).stdout
    const before = { host: await hostPicture(), cloud: await cloudLinks(), metadata: await metadataLinks(), rules: await rulesOf(`pl${bed.cloudId}`) }
    const w = world(outside)
    await ensureAll(bed, w)
    await bed.driver.removeRouter(ctx, w.router.id)
    for (const port of w.ports) await bed.driver.removePort(ctx, port.id)
    await bed.driver.removeGroup(ctx, w.group.id)
    await bed.driver.removeNetwork(ctx, w.network.id)
    await bed.driver.removeNetwork(ctx, w.external.id)
    assert.deepEqual({ host: await hostPicture(), cloud: await cloudLinks(), metadata: await metadataLinks(), rules: await rulesOf(`pl${bed.cloudId}`) }, before)
    assert.equal((await exec('ip', ['-n', `pl${bed.cloudId}-metadata`, 'rule'])).stdout.includes('240.128'), false)
  } finally {
    await bed.end()
  }
})

test('damage from outside is repaired by ensuring again', async () => {
  const bed = await makeBed()
  try {
    const w = world('198.18.9'), cloud = `pl${bed.cloudId}`
    await ensureAll(bed, w)
    const guest = await bed.guest(w.ports[0] as PortSpec)
    assert.equal((await guest.dhcp())?.ip, '10.30.0.11')
    const works = async (what: string): Promise<void> => {
      await ensureAll(bed, w)
      assert.equal((await guest.dhcp())?.ip, '10.30.0.11', `${what}: DHCP`)
      assert.equal((await exec('busybox', ['ping', '-c', '1', '-W', '2', '198.18.9.50'], { okCodes: [0, 1] })).code, 0, `${what}: floating IP`)
    }
    await works('nothing')
    const links = (await ipLinks(cloud)).map(link => link.ifname)
    const named = (letter: string): string => links.find(name => name.startsWith(letter)) ?? assert.fail(letter)
    for (const letter of ['d', 'r', 'x']) {
      await ipBatch(cloud, [`link delete dev ${named(letter)}`])
      await works(`link ${letter}`)
    }
    const bridge = `b${w.network.id.replaceAll('-', '').slice(0, 12)}`
    await ipBatch(cloud, [`link delete dev ${bridge}`])
    await works('bridge')
    for (const netns of [`${cloud}-dhcp-${w.network.id}`, `${cloud}-router-${w.router.id}`, `${cloud}-metadata`]) {
      await exec('ip', ['netns', 'delete', netns])
      await works(netns)
    }
    const pids = (await exec('ip', ['netns', 'pids', `${cloud}-dhcp-${w.network.id}`])).stdout.split('\n').filter(Boolean)
    for (const pid of pids) process.kill(Number(pid), 'SIGKILL')
    await works('dnsmasq')
    await exec('nsenter', [`--net=/run/netns/${cloud}-router-${w.router.id}`, 'nft', 'flush', 'ruleset'])
    await works('router rules')
    // The driver's memory lost: what stands is still listed, guards nobody, and is taken up again.
    await bed.driver.close()
    await rm(join(bed.folder, 'state'), { recursive: true })
    await bed.reopen()
    const seen = await bed.driver.list(ctx)
    assert.deepEqual(seen, { ...idsOf(w), groups: [] }, 'groups are known by memory alone')
    await works('state lost')
  } finally {
    await bed.end()
  }
})

test('killed anywhere, the next one heals it and removal leaves nothing', async () => {
  const before = await hostPicture()
  const w = world('198.18.10')
  const folder = new URL('.', import.meta.url).pathname
  // The first is killed when all is made and the removal begins, and tells how long the making takes on a machine as busy as this one; the others at points spread over that.
  let makingMs = 0, finished = 0
  for (let step = 0; step < 14; step++) {
    const cloudId = newCloudId(), bed = await makeBed({ cloudId })
    try {
      const script = join(bed.folder, 'work.ts'), done = join(bed.folder, 'done')
      await writeFile(join(bed.folder, 'world.json'), JSON.stringify(w))
      await writeFile(script, `
        import { readFileSync, writeFileSync } from 'node:fs'
        const { createLinuxNetworkDriver } = await import('${folder}driver.ts')
        const { plainContext } = await import('${folder}../../../base/context.ts')
        const ctx = plainContext(), w = JSON.parse(readFileSync('${bed.folder}/world.json', 'utf8'))
        const driver = createLinuxNetworkDriver({ cloudId: '${cloudId}', stateDir: '${bed.folder}/state', portDevice: 'veth' })
        writeFileSync('${bed.folder}/begun', '')
        await driver.ensureNetwork(ctx, w.external)
        await driver.ensureNetwork(ctx, w.network)
        await driver.ensureGroup(ctx, w.group)
        for (const port of w.ports) await driver.ensurePort(ctx, port)
        await driver.ensureRouter(ctx, w.router)
        writeFileSync('${done}', '')
        await driver.removeAll(ctx)
      `)
      const child = await spawnDetached(process.execPath, [script])
      const there = (name: string) => async (): Promise<true | undefined> => (await readdir(bed.folder)).includes(name) || undefined
      await waitFor('the work to begin', there('begun'), 10_000, 5)
      const begunAt = performance.now()
      if (step === 0) {
        await waitFor('the work to be done', there('done'), 60_000, 5)
        makingMs = performance.now() - begunAt
      } else {
        await delay(makingMs * (step - 1) / 13) // where it is killed, not what is awaited
      }
      signalProcess(-child.pid, 'SIGKILL')
      await child.exited
      if ((await readdir(bed.folder)).includes('done')) finished++
      if (step % 3 === 2) continue // removal at once must do as well
      await ensureAll(bed, w)
      assert.deepEqual(await bed.driver.list(ctx), idsOf(w))
      const guest = await bed.guest(w.ports[0] as PortSpec)
      assert.equal((await guest.dhcp())?.ip, '10.30.0.11')
      assert.equal((await exec('busybox', ['ping', '-c', '1', '-W', '2', '198.18.10.50'], { okCodes: [0, 1] })).code, 0)
    } finally {
      await bed.end()
    }
    assert.deepEqual(await listNetns(`pl${cloudId}`), [])
  }
  assert.ok(finished > 0 && finished < 14, `the kills hit before and after the end of the work (${finished} of 14 after)`)
  const after = await hostPicture()
  for (const part of Object.keys(before)) assert.equal(after[part], before[part], part)
})
