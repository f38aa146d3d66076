// Two hosts (the second a namespace beside the first) joined by an underlay: guests of one network meet across it, those of another do not.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ipBatch } from '#host/ip.ts'
import { ensureNetns, execIn, removeNetns } from '#host/netns.ts'
import type { PortDevice } from '../contract.ts'
import { allow, allowAllEgress, someNetwork, somePort, withLeases } from '../specs.testing.ts'
import { ctx, Guest, makeBed, newCloudId, onOwnHost } from './bed.testing.ts'
import { createLinuxNetworkDriver } from './driver.ts'

const { test } = await onOwnHost(import.meta.url)

test('guests on two hosts share a network', async () => {
  const there = 'second-host'
  await ensureNetns(there)
  await ipBatch(undefined, [`link add under1 type veth peer name under2 netns ${there}`, 'address add 172.31.0.1/24 dev under1', 'link set under1 up'])
  await ipBatch(there, ['link set lo up', 'address add 172.31.0.2/24 dev under2', 'link set under2 up'])
  const underlay = (own: number, device: string) => ({ localIp: `172.31.0.${own}`, device, peers: [`172.31.0.${3 - own}`] })
  const bed = await makeBed({ underlay: underlay(1, 'under1') })
  const farConfig = { cloudId: newCloudId(), stateDir: join(bed.folder, 'far'), portDevice: 'veth' as const, underlay: underlay(2, 'under2') }
  try {
    const open = { rules: [...allowAllEgress, allow({})] }
    const plain = someNetwork({ prefix: '10.40.0' }), near = somePort(plain, '10.40.0.11', open), far = somePort(plain, '10.40.0.12', open)
    const other = someNetwork({ prefix: '10.40.0' }), stranger = somePort(other, '10.40.0.13', open)
    const network = withLeases(plain, [{ port: near, hostname: 'near' }, { port: far, hostname: 'far' }])
    await bed.driver.ensureNetwork(ctx, network)
    // The other host has the network's links, but DHCP is served from the first.
    const work = [{ network: { ...network, dhcpPort: undefined }, port: far }, { network: other, port: stranger }]
    const script = join(bed.folder, 'far.ts'), folder = fileURLToPath(new URL('.', import.meta.url))
    await writeFile(join(bed.folder, 'far.json'), JSON.stringify({ farConfig, work }))
    await writeFile(script, `
      import { readFileSync } from 'node:fs'
      const { createLinuxNetworkDriver } = await import('${folder}driver.ts')
      const { plainContext } = await import('${folder}../../../base/context.ts')
      const { farConfig, work } = JSON.parse(readFileSync('${bed.folder}/far.json', 'utf8'))
      const driver = createLinuxNetworkDriver(farConfig), devices = []
      for (const { network, port } of work) {
        await driver.ensureNetwork(plainContext(), network)
        await driver.ensureNetwork(plainContext(), network)
        devices.push(await driver.ensurePort(plainContext(), port))
      }
      console.log(JSON.stringify(devices))
    `)
    const devices = JSON.parse((await execIn(there, process.execPath, [script])).stdout) as PortDevice[]
    const [a, b, c] = [await bed.guest(near), new Guest('far-guest', bed.folder), new Guest('far-stranger', bed.folder)]
    for (const [i, guest] of [b, c].entries()) {
      await ensureNetns(guest.netns)
      await ipBatch(devices[i]?.netns, [`link set dev ${devices[i]?.tap} netns ${guest.netns} name eth0`])
      await guest.ip('link set lo up', 'link set eth0 up')
    }
    assert.equal((await a.dhcp())?.ip, '10.40.0.11')
    assert.equal((await b.dhcp())?.ip, '10.40.0.12', 'DHCP across the underlay')
    await c.fixed('10.40.0.13/24')
    assert.equal(await a.pings('10.40.0.12', '-s', '1400'), true)
    assert.equal(await b.pings('10.40.0.11'), true)
    assert.equal(await c.pings('10.40.0.11'), false)
    assert.equal(await a.pings('10.40.0.13'), false)
  } finally {
    await createLinuxNetworkDriver(farConfig).removeAll(ctx)
    await bed.end()
    for (const netns of [there, 'far-guest', 'far-stranger']) await removeNetns(netns)
  }
})
