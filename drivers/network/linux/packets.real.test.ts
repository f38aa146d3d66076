// Real packets between guests on one network: DHCP, DNS, security groups, overlapping networks.
import assert from 'node:assert/strict'
import { newId } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import { readText } from '#host/files.ts'
import { execIn } from '#host/netns.ts'
import type { FilterRule, PortSpec } from '../contract.ts'
import { allow, allowAllEgress, someNetwork, somePort, withLeases } from '../specs.testing.ts'
import { ctx, makeBed, onOwnHost } from './bed.testing.ts'
import type { Bed, Guest } from './bed.testing.ts'

const { after, before, describe, test } = await onOwnHost(import.meta.url)

let bed: Bed
before(async () => { bed = await makeBed() })
after(() => bed.end())

const tcp = (port: number, over: Partial<FilterRule> = {}): FilterRule => allow({ protocol: 'tcp', portMin: port, portMax: port, ...over })

describe('DHCP and DNS', () => {
  test('a guest is told its address, MTU, routes and name server, by its MAC alone; a stranger nothing', async () => {
    const network = someNetwork({ subnet: { hostRoutes: [{ destination: '192.168.7.0/24', nexthop: '10.0.0.9' }] } })
    const port = somePort(network, '10.0.0.11'), stranger = somePort(network, '10.0.0.12')
    await bed.driver.ensureNetwork(ctx, withLeases(network, [{ port, hostname: 'vm-a' }]))
    const guest = await bed.guest(port), other = await bed.guest(stranger)
    const lease = await guest.dhcp()
    assert.ok(lease, 'no lease')
    assert.deepEqual([lease.ip, lease.mask, lease.router, lease.mtu, lease.dns, lease.hostname], ['10.0.0.11', '24', '10.0.0.1', '1450', '10.0.0.2', 'vm-a'])
    assert.equal(lease.staticroutes, '169.254.169.254/32 10.0.0.2 192.168.7.0/24 10.0.0.9 0.0.0.0/0 10.0.0.1')
    assert.equal(await other.dhcp(), undefined)
    // A lease that is added later is served without a restart of the server.
    await bed.driver.ensureNetwork(ctx, withLeases(network, [{ port, hostname: 'vm-a' }, { port: stranger, hostname: 'vm-b' }]))
    assert.equal((await other.dhcp())?.ip, '10.0.0.12')
    assert.equal(await other.pings('10.0.0.2'), true)
    const lookup = (name: string) => guest.run('busybox', ['nslookup', '-type=a', name, '10.0.0.2'], [0, 1])
    assert.match((await lookup('vm-b.openstack.example')).stdout, /10\.0\.0\.12/)
    assert.match((await lookup('no-such.openstack.example')).stdout, /NXDOMAIN/)
  })

  test('a subnet without gateway gives no default route, and its own name servers if it has some', async () => {
    const network = someNetwork({ subnet: { gatewayIp: undefined, dnsServers: ['192.0.2.53', '192.0.2.54'] } }), port = somePort(network, '10.0.0.11')
    await bed.driver.ensureNetwork(ctx, withLeases(network, [{ port, hostname: 'vm-a' }]))
    const lease = await (await bed.guest(port)).dhcp()
    assert.equal(lease?.router, undefined)
    assert.equal(lease?.dns, '192.0.2.53 192.0.2.54')
    assert.equal(lease?.staticroutes, '169.254.169.254/32 10.0.0.2')
  })
})

describe('security groups', () => {
  let a: Guest, b: Guest, portB: PortSpec, addressA: string
  before(async () => {
    const network = someNetwork({ prefix: '10.1.0' })
    await bed.driver.ensureNetwork(ctx, network)
    const portA = somePort(network, '10.1.0.11')
    addressA = '10.1.0.11'
    portB = somePort(network, '10.1.0.12')
    a = await bed.guest(portA)
    b = await bed.guest(portB)
    await a.fixed('10.1.0.11/24')
    await b.fixed('10.1.0.12/24')
    await b.listens(22)
    await b.listens(80)
    await a.listens(22)
  })
  const rules = (...ingress: FilterRule[]): Promise<unknown> => bed.driver.ensurePort(ctx, { ...portB, rules: [...allowAllEgress, ...ingress] })

  test('nothing comes in unless a rule says so; what the guest starts gets its answers', async () => {
    assert.equal(await a.pings('10.1.0.12'), false)
    assert.equal(await a.reaches('10.1.0.12', 22), false)
    assert.equal(await b.reaches('10.1.0.11', 22), false)
    assert.equal(await b.pings('10.1.0.2'), true)
  })

  test('a rule opens its port at once, and only that; ICMP by type', async () => {
    await rules(tcp(22))
    assert.equal(await a.reaches('10.1.0.12', 22), true)
    assert.equal(await a.reaches('10.1.0.12', 80), false)
    await rules(tcp(80, { portMin: 70, portMax: 90 }), allow({ protocol: 'icmp', portMin: 8 }))
    assert.equal(await a.reaches('10.1.0.12', 22), false)
    assert.equal(await a.reaches('10.1.0.12', 80), true)
    assert.equal(await a.pings('10.1.0.12'), true)
    await rules(allow({ protocol: 'icmp', portMin: 13 }))
    assert.equal(await a.pings('10.1.0.12'), false)
  })

  test('remote addresses: overlapping ranges are fine, an empty group matches nobody', async () => {
    await rules(tcp(22, { remote: ['10.1.0.0/24', '10.1.0.11/32', '192.0.2.1'] }))
    assert.equal(await a.reaches('10.1.0.12', 22), true)
    await rules(tcp(22, { remote: ['10.1.0.12/32'] }))
    assert.equal(await a.reaches('10.1.0.12', 22), false)
    await rules(tcp(22, { remote: [] }))
    assert.equal(await a.reaches('10.1.0.12', 22), false)
    await rules(tcp(22, { remote: ['0.0.0.0/0'] }))
    assert.equal(await a.reaches('10.1.0.12', 22), true)
  })

  test('a group that a rule names: who joins may speak at once, who leaves is cut off, ranges count, and flushed sets heal', async () => {
    const id = newId(), members = (...addresses: string[]): Promise<void> => bed.driver.ensureGroup(ctx, { id, addresses })
    const open = (): Promise<boolean> => a.reaches('10.1.0.12', 22)
    await members()
    await rules(tcp(22, { remoteGroup: id }), tcp(5003, { remoteGroup: id }))
    assert.equal(await open(), false, 'an empty group')
    await members('10.1.0.12', '10.1.0.11', '2001:db8::1')
    assert.equal(await open(), true)
    assert.equal(await a.reaches('10.1.0.12', 80), false)
    await b.starts('socat', ['TCP-LISTEN:5003,reuseaddr', 'EXEC:cat'])
    await waitFor('the echo server', async () => (await b.run('ss', ['-Hlnt', 'sport = :5003'])).stdout.trim() !== '' || undefined, 5000)
    await a.starts('sh', ['-c', `i=0; (while :; do i=$((i+1)); echo $i; sleep 0.05; done) | socat - TCP:10.1.0.12:5003 > ${bed.folder}/echo-5003`])
    const lines = async (): Promise<number> => Number((await a.run('sh', ['-c', `wc -l < ${bed.folder}/echo-5003 || echo 0`])).stdout)
    const grows = async (): Promise<void> => { const from = await lines(); await waitFor('echoes', async () => await lines() >= from + 5 || undefined, 5000) }
    await grows()
    await members('10.1.0.12')
    const cut = await lines()
    assert.equal(await open(), false, 'left')
    assert.ok(await lines() <= cut + 2, 'the connection goes on')
    await members('10.1.0.12', '10.1.0.8/29')
    assert.equal(await open(), true, 'in a range')
    await grows()
    await members('10.1.0.12', '10.1.0.0/30')
    assert.equal(await open(), false, 'in no range')
    await execIn(`pl${bed.cloudId}`, 'nft', ['flush', 'ruleset'])
    await members('10.1.0.11')
    assert.equal(await open(), true, 'healed')
    await (await bed.reopen()).list(ctx)
    assert.equal(await open(), true, 'remembered')
    await rules()
    await bed.driver.removeGroup(ctx, id)
  })

  test('egress rules: without any the guest may start nothing', async () => {
    await rules(tcp(22))
    assert.equal(await b.pings('10.1.0.2'), true)
    await bed.driver.ensurePort(ctx, { ...portB, rules: [tcp(22)] })
    assert.equal(await b.pings('10.1.0.2'), false)
    assert.equal(await a.reaches('10.1.0.12', 22), true, 'answers to what was allowed in still leave')
    await bed.driver.ensurePort(ctx, { ...portB, rules: [{ direction: 'egress', ipVersion: 4, protocol: 'icmp', remote: ['10.1.0.2/32'] }] })
    assert.equal(await b.pings('10.1.0.2'), true)
  })

  test('a rule that goes cuts a running connection; one that stays does not', async () => {
    await rules(tcp(5001), tcp(5002))
    // Both connections count upward for as long as they live: a line each way each time.
    for (const port of [5001, 5002]) {
      await b.starts('socat', [`TCP-LISTEN:${port},reuseaddr`, 'EXEC:cat'])
      await waitFor('the echo server', async () => (await b.run('ss', ['-Hlnt', `sport = :${port}`])).stdout.trim() !== '' || undefined, 5000)
      await a.starts('sh', ['-c', `i=0; (while :; do i=$((i+1)); echo $i; sleep 0.05; done) | socat - TCP:10.1.0.12:${port} > ${bed.folder}/echo-${port}`])
    }
    const lines = async (port: number): Promise<number> => Number((await a.run('sh', ['-c', `wc -l < ${bed.folder}/echo-${port} || echo 0`])).stdout)
    const grows = async (port: number, by = 5): Promise<void> => { const from = await lines(port); await waitFor(`echoes on ${port}`, async () => await lines(port) >= from + by || undefined, 5000) }
    await grows(5001)
    await grows(5002)
    await rules(tcp(5002))
    const [cut] = [await lines(5001)]
    await grows(5002, 10) // half a second of the connection that stays is time enough for the one that goes
    assert.ok(await lines(5001) <= cut + 2, 'the connection goes on without its rule')
    await rules(tcp(5001), tcp(5002))
    await grows(5002)
    await grows(5001) // TCP tries again, and the rule is back
  })

  test('IPv6 is filtered like IPv4', async () => {
    const network = someNetwork({ prefix: '10.2.0' })
    await bed.driver.ensureNetwork(ctx, network)
    const from = await bed.guest(somePort(network, '2001:db8:2::11')), port = somePort(network, '2001:db8:2::12'), to = await bed.guest(port)
    await from.ip('address add 2001:db8:2::11/64 dev eth0 nodad')
    await to.ip('address add 2001:db8:2::12/64 dev eth0 nodad')
    await to.listens(80)
    const state = async (): Promise<boolean[]> => [await from.pings('2001:db8:2::12'), await from.reaches('2001:db8:2::12', 80)]
    assert.deepEqual(await state(), [false, false])
    await bed.driver.ensurePort(ctx, { ...port, rules: [...allowAllEgress, allow({ ipVersion: 6, protocol: 'icmp', portMin: 128 }), tcp(80)] })
    assert.deepEqual(await state(), [true, false], 'an IPv4 rule opened IPv6')
    await bed.driver.ensurePort(ctx, { ...port, rules: [...allowAllEgress, tcp(80, { ipVersion: 6, remote: ['2001:db8:2::/64'] })] })
    assert.deepEqual(await state(), [false, true])
  })

  test('without port security everything passes', async () => {
    await bed.driver.ensurePort(ctx, { ...portB, portSecurity: false, rules: [] })
    assert.equal(await a.pings('10.1.0.12'), true)
    assert.equal(await a.reaches('10.1.0.12', 80), true)
    await rules()
    assert.equal(await a.pings('10.1.0.12'), false)
  })

  test('an interface that is down is silent', async () => {
    await rules(allow({}))
    assert.equal(await a.pings('10.1.0.12'), true)
    await bed.driver.ensurePort(ctx, { ...portB, adminUp: false, rules: [...allowAllEgress, allow({})] })
    assert.equal(await a.pings('10.1.0.12'), false)
    await rules(allow({}))
    // The guest's own side notices that its carrier is back when its kernel gets to it.
    await waitFor('the interface to be back', async () => await a.pings('10.1.0.12') || undefined, 5000)
  })

  test('rules live on in a new driver, and the tables heal when somebody flushed them', async () => {
    await rules(tcp(22))
    await (await bed.reopen()).list(ctx)
    assert.deepEqual([await a.reaches('10.1.0.12', 22), await a.reaches('10.1.0.12', 80)], [true, false])
    await execIn(`pl${bed.cloudId}`, 'nft', ['flush', 'ruleset'])
    await rules(tcp(80))
    assert.deepEqual([await a.reaches('10.1.0.12', 22), await a.reaches('10.1.0.12', 80)], [false, true])
    assert.equal(await b.reaches(addressA, 22), false, 'the other port\'s rules are back too')
  })
})

test('two networks with the same addresses and ports never meet', async () => {
  const networks = [someNetwork({ prefix: '10.5.0' }), someNetwork({ prefix: '10.5.0' })]
  const sides: { server: Guest, client: Guest, clientPort: PortSpec }[] = []
  for (const [i, network] of networks.entries()) {
    await bed.driver.ensureNetwork(ctx, network)
    const server = await bed.guest(somePort(network, '10.5.0.11', { rules: [...allowAllEgress, tcp(80, { portMax: 81 }), allow({ protocol: 'udp', portMin: 53, portMax: 53 })] })), clientPort = somePort(network, '10.5.0.12'), client = await bed.guest(clientPort)
    await server.fixed('10.5.0.11/24')
    await client.fixed('10.5.0.12/24')
    await server.listens(80, `network-${i}`)
    sides.push({ server, client, clientPort })
  }
  // The very same five numbers on both networks, both connections alive at once: each must be its own in the kernel's table.
  const talk = async (guest: Guest): Promise<string> =>
    (await guest.run('sh', ['-c', '(echo one; sleep 0.5; echo two; sleep 0.5) | socat - TCP:10.5.0.11:81,sourceport=40000,reuseaddr,connect-timeout=2'], [0, 1])).stdout
  for (const { server } of sides) {
    await server.starts('socat', ['TCP-LISTEN:81,reuseaddr,fork', 'EXEC:cat'])
    await waitFor('the echo server', async () => (await server.run('ss', ['-Hlnt', 'sport = :81'])).stdout.trim() !== '' || undefined, 5000)
  }
  assert.deepEqual(await Promise.all(sides.map(side => talk(side.client))), ['one\ntwo\n', 'one\ntwo\n'])
  const ask = (guest: Guest): Promise<string> => guest.run('socat', ['-u', 'TCP:10.5.0.11:80,connect-timeout=2', '-'], [0, 1]).then(r => r.stdout.trim())
  assert.deepEqual(await Promise.all(sides.map(side => ask(side.client))), ['network-0', 'network-1'])

  // What is an answer on one network is none on the other: the second's client has asked 10.5.0.11:53, the first's has not.
  const [first, second] = sides
  assert.ok(first && second)
  await second.server.starts('socat', ['UDP-LISTEN:53,fork', 'EXEC:cat'])
  await second.server.boundUdp(53)
  const query = (guest: Guest): Promise<string> => guest.run('sh', ['-c', '(echo question; sleep 0.5) | socat -T1 - UDP:10.5.0.11:53,sourceport=40001,reuseaddr'], [0, 1]).then(r => r.stdout)
  assert.equal(await query(second.client), 'question\n')
  const heard = `${bed.folder}/unasked`
  await first.client.starts('socat', ['-u', 'UDP-RECV:40001,reuseaddr', `CREATE:${heard}`])
  await first.client.boundUdp(40_001)
  const push = (text: string): Promise<unknown> => first.server.run('sh', ['-c', `echo ${text} | socat -u - UDP:10.5.0.12:40001,sourceport=53,reuseaddr`])
  await push('unasked')
  await bed.driver.ensurePort(ctx, { ...first.clientPort, rules: [...allowAllEgress, allow({ protocol: 'udp' })] })
  await push('allowed')
  await waitFor('the allowed datagram', async () => (await readText(heard))?.includes('allowed') || undefined, 5000)
  assert.equal(await readText(heard), 'allowed\n')
})
