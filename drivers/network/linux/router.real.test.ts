// Routers with real packets: between subnets, to the outside, floating IPs from everywhere, and metadata with and without them.
import assert from 'node:assert/strict'
import { newId } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import { exec, spawnDetached } from '#host/exec.ts'
import { ipBatch } from '#host/ip.ts'
import type { MetadataHandler, NetworkSpec, PortSpec, RouterSpec } from '../contract.ts'
import { allow, allowAllEgress, someExternal, someGateway, someNetwork, somePort, someRouter, withLeases } from '../specs.testing.ts'
import { ctx, makeBed, onOwnHost } from './bed.testing.ts'
import type { Bed, Guest } from './bed.testing.ts'

const { after, before, describe, test } = await onOwnHost(import.meta.url)

// A range of its own, so that test files may run side by side on one host.
const outside = '198.51.100'
const open = [...allowAllEgress, allow({})]

let bed: Bed
before(async () => { bed = await makeBed() })
after(() => bed.end())

const hostPings = async (address: string): Promise<boolean> => (await exec('busybox', ['ping', '-c', '1', '-W', '1', address], { okCodes: [0, 1] })).code === 0
/** What a TCP server on the host's side hears as its caller's address when a guest connects. */
const hello = async (address: string, port: number): Promise<string> => (await exec('socat', ['-u', `TCP:${address}:${port},connect-timeout=1`, '-'], { okCodes: [0, 1] })).stdout.trim()

describe('routing', () => {
  let external: NetworkSpec, left: NetworkSpec, right: NetworkSpec, router: RouterSpec, a: Guest, b: Guest, c: Guest, portA: PortSpec
  before(async () => {
    external = someExternal(outside)
    left = someNetwork({ prefix: '10.11.0' })
    right = someNetwork({ prefix: '10.12.0' })
    portA = somePort(left, '10.11.0.11', { rules: open })
    const portB = somePort(left, '10.11.0.12', { rules: open }), portC = somePort(right, '10.12.0.11', { rules: open, allowedPairs: [{ ip: '10.99.0.0/24' }] })
    await bed.driver.ensureNetwork(ctx, external)
    await bed.driver.ensureNetwork(ctx, withLeases(left, [{ port: portA, hostname: 'a' }]))
    await bed.driver.ensureNetwork(ctx, right)
    router = someRouter([left, right], { gateway: someGateway(external, `${outside}.2`) })
    await bed.driver.ensureRouter(ctx, router)
    a = await bed.guest(portA)
    b = await bed.guest(portB)
    c = await bed.guest(portC)
    await a.dhcp()
    await b.fixed('10.11.0.12/24', '10.11.0.1')
    await c.fixed('10.12.0.11/24', '10.12.0.1')
    for (const guest of [a, b, c]) await guest.starts('socat', ['TCP-LISTEN:80,fork,reuseaddr', 'SYSTEM:echo $SOCAT_PEERADDR'])
    for (const guest of [a, b, c]) await waitFor('a server', async () => (await guest.run('ss', ['-Hlnt', 'sport = :80'])).stdout.trim() !== '' || undefined, 5000)
  })
  const float = (...pairs: [string, string][]): Promise<void> =>
    bed.driver.ensureRouter(ctx, { ...router, floatingIps: pairs.map(([address, fixedIp]) => ({ id: newId(), address: `${outside}.${address}`, fixedIp })) })
  /** Who the guest's server says is calling. */
  const caller = async (from: Guest, address: string): Promise<string> => (await from.run('socat', ['-u', `TCP:${address}:80,connect-timeout=1`, '-'], [0, 1])).stdout.trim()

  test('guests of two subnets reach each other with their own addresses', async () => {
    assert.equal(await a.pings('10.12.0.11'), true)
    assert.equal(await caller(a, '10.12.0.11'), '10.11.0.11')
    assert.equal(await caller(c, '10.11.0.11'), '10.12.0.11')
  })

  test('guests reach the outside as the router; nobody outside reaches them without a floating IP', async () => {
    assert.equal(await a.pings(`${outside}.1`), true)
    assert.equal(await hostPings('10.11.0.11'), false)
    assert.equal(await hostPings(`${outside}.2`), true)
  })

  test('a floating IP: from the host, from the guest itself, from its neighbour and from another subnet', async () => {
    await float(['50', '10.11.0.11'], ['51', '10.12.0.11'])
    assert.equal(await hostPings(`${outside}.50`), true)
    assert.equal(await hello(`${outside}.50`, 80), `${outside}.1`, 'the caller\'s address is kept')
    assert.equal(await caller(b, `${outside}.50`), `${outside}.2`, 'a neighbour without a floating IP')
    assert.equal(await caller(c, `${outside}.50`), `${outside}.51`, 'another subnet, by its own floating IP')
    assert.equal(await caller(a, `${outside}.50`), `${outside}.50`, 'the guest itself')
  })

  test('a floating IP moves to another guest at once, also for running connections, and can be taken away', async () => {
    await float(['50', '10.11.0.11'])
    const log = `${bed.folder}/move`
    await a.starts('socat', ['TCP-LISTEN:7000,reuseaddr', 'EXEC:cat'])
    await waitFor('the echo server', async () => (await a.run('ss', ['-Hlnt', 'sport = :7000'])).stdout.trim() !== '' || undefined, 5000)
    const lines = async (): Promise<number> => Number((await exec('sh', ['-c', 'wc -l < "$1" 2>/dev/null || echo 0', 'sh', log])).stdout)
    const client = await spawnDetached('sh', ['-c', 'i=0; (while :; do i=$((i+1)); echo $i; sleep 0.05; done) | socat - TCP:"$1":7000 > "$2"', 'sh', `${outside}.50`, log])
    await waitFor('echoes', async () => await lines() > 5 || undefined, 5000)
    await float(['50', '10.11.0.12'])
    const cut = await lines()
    for (let i = 0; i < 3; i++) assert.equal(await hostPings(`${outside}.50`), true)
    assert.equal(await hello(`${outside}.50`, 80), `${outside}.1`)
    assert.ok(await lines() <= cut + 2, 'the connection to the old guest goes on')
    await float()
    assert.equal(await hostPings(`${outside}.50`), false)
    process.kill(-client.pid, 'SIGKILL')
  })

  test('the neighbours are told when a floating IP comes to a router', async () => {
    const other = someRouter([], { gateway: someGateway(external, `${outside}.3`) })
    await float(['60', '10.11.0.11'])
    assert.equal(await hostPings(`${outside}.60`), true)
    const neighbour = async (): Promise<string> => (await exec('ip', ['neigh', 'show', `${outside}.60`])).stdout
    assert.match(await neighbour(), new RegExp(router.gateway?.mac ?? ''))
    await float()
    const second = someNetwork({ prefix: '10.13.0' })
    await bed.driver.ensureNetwork(ctx, second)
    await bed.driver.ensureRouter(ctx, { ...other, interfaces: someRouter([second]).interfaces, floatingIps: [{ id: newId(), address: `${outside}.60`, fixedIp: '10.13.0.11' }] })
    await waitFor('the host to know the new owner', async () => (await neighbour()).includes(other.gateway?.mac ?? '') || undefined, 6000)
    await bed.driver.removeRouter(ctx, other.id)
    await bed.driver.removeNetwork(ctx, second.id)
  })

  test('static routes, an interface taken away and given back, a router that is down', async () => {
    await c.ip('address add 10.99.0.1/24 dev lo')
    assert.equal(await a.pings('10.99.0.1'), false)
    const stands = { ...router, routes: [{ destination: '10.99.0.0/24', nexthop: '10.12.0.11' }, { destination: '10.98.0.0/24', nexthop: '192.0.2.1' }] }
    await bed.driver.ensureRouter(ctx, stands)
    assert.equal(await a.pings('10.99.0.1'), true)
    await bed.driver.ensureRouter(ctx, router)
    assert.equal(await a.pings('10.99.0.1'), false)
    await bed.driver.ensureRouter(ctx, { ...stands, interfaces: stands.interfaces.slice(0, 1) })
    assert.equal(await a.pings('10.12.0.11'), false)
    await bed.driver.ensureRouter(ctx, stands)
    assert.equal(await a.pings('10.12.0.11'), true)
    await bed.driver.ensureRouter(ctx, { ...stands, adminUp: false })
    assert.equal(await a.pings('10.12.0.11'), false)
    await bed.driver.ensureRouter(ctx, stands)
    assert.equal(await a.pings(`${outside}.1`), true)
  })

  test('without SNAT the tenant\'s addresses go out as they are', async () => {
    assert.ok(router.gateway)
    await bed.driver.ensureRouter(ctx, { ...router, gateway: { ...router.gateway, snat: false } })
    assert.equal(await a.pings(`${outside}.1`), false, 'the host knows no way back')
    await ipBatch(undefined, [`route add 10.11.0.0/24 via ${outside}.2`])
    assert.equal(await a.pings(`${outside}.1`), true)
    assert.equal(await hostPings('10.11.0.11'), true)
    await ipBatch(undefined, ['route delete 10.11.0.0/24'])
    await bed.driver.ensureRouter(ctx, router)
  })
})

describe('metadata', () => {
  const answer: MetadataHandler = (caller, req, res) => res.end(JSON.stringify({ ...caller, url: req.url }))
  const url = 'http://169.254.169.254/openstack/latest/meta_data.json'
  const asked = async (guest: Guest, ...options: string[]): Promise<{ networkId?: string, portId?: string }> => JSON.parse(await guest.curl(url, ...options) || '{}')

  test('each guest is known by its network and port: overlapping addresses, with and without a router, by either way', async () => {
    const alone = someNetwork({ prefix: '10.20.0', subnet: { gatewayIp: undefined } }), routed = someNetwork({ prefix: '10.20.0' }), bare = { ...someNetwork({ prefix: '10.21.0', subnet: { dhcp: false } }), dhcpPort: undefined }
    const ports = [somePort(alone, '10.20.0.11'), somePort(routed, '10.20.0.11'), somePort(routed, '10.20.0.12'), somePort(bare, '10.21.0.11')] as const
    for (const network of [alone, routed]) {
      await bed.driver.ensureNetwork(ctx, withLeases(network, ports.filter(port => port.networkId === network.id).map((port, i) => ({ port, hostname: `vm-${i}` }))))
    }
    await bed.driver.ensureNetwork(ctx, bare)
    await bed.driver.ensureRouter(ctx, someRouter([routed, bare]))
    let stop = await bed.driver.serveMetadata(ctx, answer)
    const guests = [await bed.guest(ports[0]), await bed.guest(ports[1]), await bed.guest(ports[2]), await bed.guest(ports[3])] as const
    for (const guest of guests.slice(0, 2)) await guest.dhcp()
    await guests[2].fixed('10.20.0.12/24', '10.20.0.1') // a client that ignores option 121 has only its router
    await guests[3].fixed('10.21.0.11/24', '10.21.0.1') // and a network without DHCP only has that too
    const expect = async (): Promise<void> => {
      for (const [i, guest] of guests.entries()) {
        const port = ports[i] as PortSpec
        assert.deepEqual(await asked(guest, '-H', 'X-Forwarded-For: 10.20.0.99', '-H', `X-Instance-ID: ${newId()}`), { networkId: port.networkId, portId: port.id, url: '/openstack/latest/meta_data.json' })
      }
    }
    await expect()
    await stop()
    assert.equal(await guests[0].curl(url), '', 'nobody answers')
    await bed.reopen()
    stop = await bed.driver.serveMetadata(ctx, answer)
    await expect()

    // Only port 80 of that one address leads there, nothing else, and nobody but guests.
    assert.equal(await guests[0].curl('http://169.254.169.254:8080/'), '')
    await guests[2].ip('route replace 240.0.0.0/4 via 10.20.0.1 dev eth0')
    assert.equal(await guests[2].curl('http://240.128.0.1/'), '')
    await stop()
  })

  test('an address that is no port\'s is told nothing', async () => {
    const network = someNetwork({ prefix: '10.22.0' }), port = somePort(network, '10.22.0.11', { portSecurity: false })
    await bed.driver.ensureNetwork(ctx, network)
    const stop = await bed.driver.serveMetadata(ctx, answer)
    const guest = await bed.guest(port)
    await guest.fixed('10.22.0.99/24')
    await guest.ip('route replace 169.254.169.254/32 via 10.22.0.2 dev eth0')
    assert.equal(await guest.curl(url), '404 Not Found')
    await guest.ip('address delete 10.22.0.99/24 dev eth0', 'address add 10.22.0.11/24 dev eth0', 'route replace 169.254.169.254/32 via 10.22.0.2 dev eth0')
    assert.deepEqual((await asked(guest)).portId, port.id)
    await stop()
  })
})
