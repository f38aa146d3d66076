// What every network driver promises, as tests. A driver's own test file calls this with a way to make it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { plainContext } from '#base/context.ts'
import { isFault } from '#base/errors.ts'
import type { FaultKind } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import type { NetworkDriver } from './contract.ts'
import { allow, someExternal, someGateway, someNetwork, somePort, someRouter, withLeases } from './specs.testing.ts'

/** Makes a driver over always the same host: a second call is what a restart of the program is. */
export type OpenDriver = () => Promise<NetworkDriver>

export const networkDriverSuite = (name: string, open: OpenDriver): void => {
  describe(`network driver ${name}`, () => {
    const ctx = plainContext()
    let driver: NetworkDriver
    before(async () => { driver = await open() })
    after(async () => { await driver.removeAll(ctx); await driver.close() })

    const empty = { networks: [], groups: [], ports: [], routers: [] }
    const refused = (kind: FaultKind, work: Promise<unknown>): Promise<void> => assert.rejects(work, error => isFault(error, kind))

    test('nothing stands at first, and removing what is not there is success', async () => {
      assert.deepEqual(await driver.list(ctx), empty)
      await driver.removePort(ctx, newId())
      await driver.removeRouter(ctx, newId())
      await driver.removeNetwork(ctx, newId())
    })

    test('ensuring twice is once, removing twice is fine, and the list tells the truth', async () => {
      const network = someNetwork(), external = someExternal(), port = somePort(network, '10.0.0.11')
      const router = someRouter([network], { gateway: someGateway(external, '203.0.113.2') })
      for (let i = 0; i < 2; i++) {
        await driver.ensureNetwork(ctx, network)
        await driver.ensureNetwork(ctx, external)
        await driver.ensureRouter(ctx, router)
      }
      const device = await driver.ensurePort(ctx, port)
      assert.deepEqual(await driver.ensurePort(ctx, port), device)
      assert.ok(device.tap.length <= 15)
      assert.deepEqual(await driver.list(ctx), { networks: [network.id, external.id].sort(), ports: [port.id], routers: [router.id], groups: [] })
      for (let i = 0; i < 2; i++) {
        await driver.removePort(ctx, port.id)
        await driver.removeRouter(ctx, router.id)
        await driver.removeNetwork(ctx, network.id)
        await driver.removeNetwork(ctx, external.id)
      }
      assert.deepEqual(await driver.list(ctx), empty)
    })

    test('a port or router without its network is refused, and a network in use stays', async () => {
      const network = someNetwork(), port = somePort(network, '10.0.0.11'), router = someRouter([network])
      await refused('notFound', driver.ensurePort(ctx, port))
      await refused('notFound', driver.ensureRouter(ctx, router))
      assert.deepEqual(await driver.list(ctx), empty)
      await driver.ensureNetwork(ctx, network)
      await driver.ensurePort(ctx, port)
      await refused('conflict', driver.removeNetwork(ctx, network.id))
      await driver.removePort(ctx, port.id)
      await driver.ensureRouter(ctx, router)
      await refused('conflict', driver.removeNetwork(ctx, network.id))
      await driver.removeRouter(ctx, router.id)
      await driver.removeNetwork(ctx, network.id)
      assert.deepEqual(await driver.list(ctx), empty)
    })

    test('ensuring with a changed state converges', async () => {
      const network = someNetwork(), other = someNetwork({ prefix: '10.0.1' }), external = someExternal(), port = somePort(network, '10.0.0.11')
      for (const n of [network, other, external]) await driver.ensureNetwork(ctx, n)
      await driver.ensureNetwork(ctx, { ...withLeases(network, [{ port, hostname: 'vm-a' }]), mtu: 1400 })
      await driver.ensureNetwork(ctx, { ...network, dhcpPort: undefined, subnets: network.subnets.map(s => ({ ...s, dhcp: false })) })
      await driver.ensureNetwork(ctx, network)
      await driver.ensurePort(ctx, port)
      await driver.ensurePort(ctx, { ...port, rules: [...port.rules, allow({ protocol: 'tcp', portMin: 22, portMax: 22 }), allow({ ipVersion: 6, remote: ['2001:db8::/64'] })] })
      await driver.ensurePort(ctx, { ...port, portSecurity: false, rules: [] })
      await driver.ensurePort(ctx, { ...port, adminUp: false, allowedPairs: [{ ip: '10.0.0.0/25' }, { ip: '10.0.0.7', mac: '02:00:00:00:00:07' }] })
      await driver.ensurePort(ctx, port)
      const router = someRouter([network])
      await driver.ensureRouter(ctx, router)
      const wide = { ...router, interfaces: [...router.interfaces, ...someRouter([other]).interfaces], gateway: someGateway(external, '203.0.113.2') }
      await driver.ensureRouter(ctx, { ...wide, floatingIps: [{ id: newId(), address: '203.0.113.50', fixedIp: '10.0.0.11' }], routes: [{ destination: '10.9.0.0/16', nexthop: '10.0.0.11' }] })
      await driver.ensureRouter(ctx, { ...wide, adminUp: false })
      await driver.ensureRouter(ctx, { ...wide, interfaces: wide.interfaces.slice(1) })
      assert.deepEqual(await driver.list(ctx), { networks: [network.id, other.id, external.id].sort(), ports: [port.id], routers: [router.id], groups: [] })
      await driver.removeAll(ctx)
      assert.deepEqual(await driver.list(ctx), empty)
    })

    test('a group that rules name must stand, and stays while it is named', async () => {
      const network = someNetwork(), group = { id: newId(), addresses: ['10.0.0.11', '10.0.0.12/32', '2001:db8::1', '10.9.0.0/24'] }, port = somePort(network, '10.0.0.11', { rules: [allow({ remoteGroup: group.id })] })
      await driver.removeGroup(ctx, group.id)
      await driver.ensureNetwork(ctx, network)
      await refused('notFound', driver.ensurePort(ctx, port))
      for (let i = 0; i < 2; i++) await driver.ensureGroup(ctx, group)
      await driver.ensurePort(ctx, port)
      for (const addresses of [['10.0.0.12'], ['10.9.0.0/16', '10.9.1.0/24', '::/0'], [], group.addresses]) await driver.ensureGroup(ctx, { ...group, addresses })
      await refused('conflict', driver.removeGroup(ctx, group.id))
      await driver.close()
      driver = await open()
      assert.deepEqual((await driver.list(ctx)).groups, [group.id])
      await driver.ensureGroup(ctx, { ...group, addresses: ['10.0.0.13'] })
      await driver.ensurePort(ctx, { ...port, rules: [] })
      for (let i = 0; i < 2; i++) await driver.removeGroup(ctx, group.id)
      await driver.removePort(ctx, port.id)
      await driver.removeNetwork(ctx, network.id)
      assert.deepEqual(await driver.list(ctx), empty)
    })

    test('many calls at once, also about the same object', async () => {
      const network = someNetwork(), ports = Array.from({ length: 6 }, (_, i) => somePort(network, `10.0.0.${20 + i}`))
      await Promise.all([driver.ensureNetwork(ctx, network), driver.ensureNetwork(ctx, network)])
      await Promise.all([...ports, ...ports].map(port => driver.ensurePort(ctx, port)))
      assert.deepEqual((await driver.list(ctx)).ports, ports.map(port => port.id).sort())
      await Promise.all([...ports.map(port => driver.removePort(ctx, port.id)), driver.removePort(ctx, ports[0]?.id ?? '')])
      await driver.removeNetwork(ctx, network.id)
      assert.deepEqual(await driver.list(ctx), empty)
    })

    test('a new driver adopts what stands', async () => {
      const network = someNetwork(), port = somePort(network, '10.0.0.11'), router = someRouter([network])
      await driver.ensureNetwork(ctx, network)
      const device = await driver.ensurePort(ctx, port)
      await driver.ensureRouter(ctx, router)
      const stands = await driver.list(ctx)
      await driver.close()
      driver = await open()
      assert.deepEqual(await driver.list(ctx), stands)
      await refused('conflict', driver.removeNetwork(ctx, network.id))
      assert.deepEqual(await driver.ensurePort(ctx, port), device)
      await driver.removePort(ctx, port.id)
      await driver.removeRouter(ctx, router.id)
      await driver.removeNetwork(ctx, network.id)
      assert.deepEqual(await driver.list(ctx), empty)
    })

    test('metadata can be served, stopped and served again', async () => {
      for (let i = 0; i < 2; i++) {
        const stop = await driver.serveMetadata(ctx, (_caller, _req, res) => { res.end() })
        await stop()
        await stop()
      }
    })

    test('removeAll empties, twice is fine, and afterwards all works again', async () => {
      const network = someNetwork(), port = somePort(network, '10.0.0.11')
      for (let i = 0; i < 2; i++) {
        await driver.ensureNetwork(ctx, network)
        await driver.ensurePort(ctx, port)
        await driver.removeAll(ctx)
        await driver.removeAll(ctx)
        assert.deepEqual(await driver.list(ctx), empty)
      }
    })
  })
}
