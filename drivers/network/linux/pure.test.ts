// The driver's pure parts: addresses, rules as text, dnsmasq's files, names, queues.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isFault } from '#base/errors.ts'
import type { FilterRule } from '../contract.ts'
import { allow, someExternal, someGateway, someNetwork, somePort, someRouter, withLeases } from '../specs.testing.ts'
import { formatCidr, interfaceAddress, linkLocalOf, mergeCidrs, overlaps, parseCidr, plainAddress, plainMac } from './addresses.ts'
import { antiSpoofRules, claimsOf } from './antispoof.ts'
import { completeConfig } from './config.ts'
import { dhcpConfig, dhcpHosts, dhcpNames, dhcpOptions, dhcpPaths } from './dhcp-files.ts'
import { groupElements, groupSets, putGroup } from './groups.ts'
import { checkId, cloudNames, portName, short } from './names.ts'
import { routerRules } from './router-rules.ts'
import { fromGuestRules, ruleMatches, toGuestRules } from './rules.ts'
import { serial } from './serial.ts'
import { State } from './state.ts'

const refused = (work: () => unknown): void => assert.throws(work, error => isFault(error, 'badRequest'))

test('addresses are checked and spelled one way', () => {
  assert.equal(formatCidr(parseCidr('10.0.0.77/24')), '10.0.0.0/24')
  assert.equal(formatCidr(parseCidr('2001:DB8:0::1/128')), '2001:db8::1')
  assert.equal(plainAddress('10.0.0.1/24'), '10.0.0.1')
  assert.equal(interfaceAddress('10.0.0.7/24'), '10.0.0.7/24')
  assert.equal(interfaceAddress('fe80::1'), 'fe80::1/128')
  assert.equal(plainMac('FA:16:3E:00:00:01'), 'fa:16:3e:00:00:01')
  assert.equal(linkLocalOf('fa:16:3e:00:00:01'), 'fe80::f816:3eff:fe00:1')
  for (const bad of ['', '10.0.0', '10.0.0.1/33', '10.0.0.1/-1', '10.0.0.1/x', '010.0.0.1/1/2', '::1/129', 'fe80::1%eth0', '10.0.0.1; drop', '0x0a000001', '1']) refused(() => parseCidr(bad))
  for (const bad of ['', '01:00:5e:00:00:01', 'fa:16:3e:00:00', 'fa:16:3e:00:00:0g', 'fa:16:3e:00:00:01 accept']) refused(() => plainMac(bad))
})

test('ranges are merged: nothing overlaps, nothing is lost', () => {
  assert.deepEqual(mergeCidrs(['10.0.0.5', '10.0.0.0/24', '10.0.0.0/24', '192.0.2.0/25', '10.0.0.128/25', '192.0.2.128/25']).map(formatCidr), ['10.0.0.0/24', '192.0.2.0/25', '192.0.2.128/25'])
  assert.deepEqual(mergeCidrs([]), [])
  assert.equal(overlaps('10.0.0.0/8', '10.1.2.3'), true)
  assert.equal(overlaps('10.0.0.0/24', '10.0.1.0/24'), false)
  assert.equal(overlaps('0.0.0.0/0', '::/0'), false)
})

test('a rule becomes its conditions', () => {
  const ruleMatch = (rule: FilterRule): string | undefined => ruleMatches(rule)[0]
  assert.equal(ruleMatch(allow({ protocol: 'tcp', portMin: 22, portMax: 23, remote: ['10.0.0.0/8', '10.1.0.0/16'] })), 'meta nfproto ipv4 ip saddr { 10.0.0.0/8 } meta l4proto 6 th dport 22-23')
  assert.equal(ruleMatch({ direction: 'egress', ipVersion: 6, protocol: 'icmp', portMin: 128, portMax: 0, remote: ['2001:db8::/32'] }), 'meta nfproto ipv6 ip6 daddr { 2001:db8::/32 } meta l4proto 58 icmpv6 type 128 icmpv6 code 0')
  assert.equal(ruleMatch(allow({ remote: ['0.0.0.0/0'] })), 'meta nfproto ipv4')
  assert.equal(ruleMatch(allow({ remote: [] })), undefined)
  assert.equal(ruleMatch(allow({ remote: ['2001:db8::/32'] })), undefined, 'addresses of the other family match nothing')
  assert.equal(ruleMatch(allow({ protocol: '47' })), 'meta nfproto ipv4 meta l4proto 47')
  assert.equal(ruleMatch(allow({ protocol: 'vrrp', portMin: 1 })), 'meta nfproto ipv4 meta l4proto 112')
  assert.equal(ruleMatch(allow({ protocol: 'udp', portMin: 0, portMax: 0 })), 'meta nfproto ipv4 meta l4proto 17 th dport 0-0')
  for (const bad of [{ protocol: 'tcp accept' }, { protocol: '256' }, { protocol: 'tcp', portMin: -1 }, { protocol: 'tcp', portMax: 65_536 }, { remote: ['any'] }]) refused(() => ruleMatch(allow(bad)))
})

test('a group is sets that rules name; a member that comes or goes is one element', () => {
  const id = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'
  assert.deepEqual(ruleMatches(allow({ remoteGroup: id, protocol: 'tcp', portMin: 22, portMax: 22 })), [
    'meta nfproto ipv4 ip saddr @group4_3f2504e04f89 meta l4proto 6 th dport 22-22', 'meta nfproto ipv4 ip saddr @ranges4_3f2504e04f89 meta l4proto 6 th dport 22-22',
  ])
  assert.deepEqual(ruleMatches({ direction: 'egress', ipVersion: 6, remoteGroup: id })[0], 'meta nfproto ipv6 ip6 daddr @group6_3f2504e04f89')
  refused(() => ruleMatches(allow({ remoteGroup: id, remote: [] })))
  const before = groupElements({ id, addresses: ['10.0.0.1', '10.0.0.2/32', '2001:DB8::1', '10.1.0.0/24', '10.1.0.0/16'] })
  assert.deepEqual(Object.values(before).map(list => [...list]), [['10.0.0.1', '10.0.0.2'], ['10.1.0.0/16'], ['2001:db8::1'], []])
  assert.equal(putGroup(before, before), '')
  assert.equal(putGroup(groupElements({ id, addresses: ['10.0.0.2', '10.0.0.3', '2001:db8::1', '10.1.0.0/16'] }), before),
    'delete element inet pileus group4_3f2504e04f89 { 10.0.0.1 }\nadd element inet pileus group4_3f2504e04f89 { 10.0.0.3 }\n')
  assert.match(putGroup(groupElements({ id, addresses: ['0.0.0.0/0'] }), before), /^flush set inet pileus ranges4_3f2504e04f89\nadd element inet pileus ranges4_3f2504e04f89 \{ 0\.0\.0\.0\/0 \}$/m)
  refused(() => groupElements({ id, addresses: ['10.0.0.1 }; flush ruleset'] }))
  const named = somePort(someNetwork(), '10.0.0.5', { rules: [allow({ remoteGroup: 'forgotten' })] })
  assert.equal(groupSets([], [named]).split('\n').filter(line => /^ +set (group|ranges)[46]_[0-9a-f]{12} \{ type ipv[46]_addr;( flags interval;)? \}$/.test(line)).length, 4)
})

test('a port without rules refuses all, and the same rule stands once', () => {
  const port = somePort(someNetwork(), '10.0.0.5', { rules: [] })
  assert.deepEqual(fromGuestRules(port), ['goto refused_out'])
  assert.deepEqual(toGuestRules({ ...port, rules: [allow({}), allow({}), allow({ remote: [] })] }), ['meta nfproto ipv4 goto allowed_in', 'goto refused_in'])
})

test('what a port may claim: its own and its pairs, each with its MAC', () => {
  const port = somePort(someNetwork(), '10.0.0.5', { mac: 'FA:16:3E:00:00:05', ips: ['10.0.0.5', '2001:db8::5'], allowedPairs: [{ ip: '10.0.0.0/29' }, { ip: '10.9.0.1', mac: '02:00:00:00:00:01' }] })
  const claims = [...claimsOf(port)].map(([mac, { v4, v6 }]) => [mac, v4.map(formatCidr), v6.map(formatCidr)])
  assert.deepEqual(claims, [['fa:16:3e:00:00:05', ['10.0.0.0/29'], ['2001:db8::5', 'fe80::f816:3eff:fe00:5']], ['02:00:00:00:00:01', ['10.9.0.1'], ['fe80::ff:fe00:1']]])
  assert.equal(antiSpoofRules(port)[0], 'ether saddr != { fa:16:3e:00:00:05, 02:00:00:00:00:01 } drop')
  const none = antiSpoofRules({ ...port, ips: [], allowedPairs: [] })
  assert.ok(none.includes('ether type ip drop'), 'a port without an address sends no IPv4')
  refused(() => antiSpoofRules({ ...port, allowedPairs: [{ ip: '10.0.0.0/24 } accept #' }] }))
})

test('dnsmasq is told what OpenStack promises', () => {
  const network = someNetwork({ mtu: 1400, subnet: { hostRoutes: [{ destination: '192.168.0.0/16', nexthop: '10.0.0.9' }] } }), port = somePort(network, '10.0.0.5')
  const spec = withLeases(network, [{ port, hostname: 'vm-a' }, { port: somePort(network, '10.0.0.6'), hostname: 'not a name' }])
  assert.deepEqual(dhcpOptions(spec).split('\n'), [
    'tag:subnet0,option:router,10.0.0.1', 'tag:subnet0,option:dns-server,10.0.0.2', 'tag:subnet0,option:mtu,1400',
    'tag:subnet0,option:classless-static-route,169.254.169.254/32,10.0.0.2,192.168.0.0/16,10.0.0.9,0.0.0.0/0,10.0.0.1', '',
  ])
  assert.match(dhcpConfig(spec, dhcpPaths('/run/x', spec.id), 'nobody', ['192.0.2.53']), /^server=192\.0\.2\.53$[^]*^dhcp-range=set:subnet0,10\.0\.0\.0,static,255\.255\.255\.0,86400s$/m)
  assert.match(dhcpHosts(spec), new RegExp(`^${port.mac},10\\.0\\.0\\.5,vm-a\n[0-9a-f:]+,10\\.0\\.0\\.6\n$`))
  assert.equal(dhcpNames(spec), '10.0.0.5 vm-a.openstack.example vm-a\n')
  refused(() => dhcpConfig({ ...spec, dnsDomain: 'x\nuser=root' }, dhcpPaths('/run/x', spec.id), 'nobody', []))
  assert.equal(dhcpHosts({ ...spec, leases: [{ portId: 'p', mac: port.mac, hostname: 'x\ndhcp-script=/bin/sh', ips: [{ subnetId: '', address: '10.0.0.5' }] }] }), `${port.mac},10.0.0.5\n`)
})

test('a router without a way out rewrites nothing but metadata', () => {
  const network = someNetwork(), router = someRouter([network]), [port] = router.interfaces
  assert.ok(port)
  const alone = routerRules(router, { [port.portId]: 258 })
  assert.match(alone, /tcp dport 80 dnat ip to 240\.128\.1\.2$/m)
  assert.doesNotMatch(alone, /snat ip to/)
  const out = routerRules({ ...router, gateway: someGateway(someExternal(), '203.0.113.2'), floatingIps: [{ id: 'f', address: '203.0.113.5', fixedIp: '10.0.0.5' }] }, {})
  assert.match(out, /dnat ip to ip daddr map \{ 203\.0\.113\.5 : 10\.0\.0\.5 \}/)
  assert.match(out, /snat ip to 203\.0\.113\.2$/m)
})

test('names are short enough, and ids cannot lead elsewhere', () => {
  const id = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'
  assert.equal(portName(id), 't3f2504e04f89')
  assert.equal(cloudNames('ab12').hostLink(id), 'plab12x3f2504e0')
  assert.equal(cloudNames('ab12').hostLink(id).length, 15)
  assert.equal(short('not-a-uuid').length, 12)
  for (const bad of ['', '../x', 'a/b', 'a b', 'a\n', '-x', '.']) refused(() => checkId(bad))
  for (const bad of ['', 'abc', 'ABCD', 'ab-1', 'abcde']) refused(() => completeConfig({ cloudId: bad, stateDir: '/x' }))
})

test('one key is worked on by one at a time, in order, and a failure stops nobody', async () => {
  const inOrder = serial(), seen: string[] = []
  const work = (name: string, fails = false) => async (): Promise<string> => {
    seen.push(`${name} begins`)
    await new Promise(resolve => setImmediate(resolve))
    seen.push(`${name} ends`)
    if (fails) throw new Error(name)
    return name
  }
  const results = await Promise.allSettled([inOrder('a', work('1')), inOrder('a', work('2', true)), inOrder('a', work('3')), inOrder('b', work('4'))])
  assert.deepEqual(results.map(r => r.status), ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  assert.deepEqual(seen.filter(s => !s.startsWith('4')), ['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends'])
  assert.ok(seen.indexOf('4 begins') < seen.indexOf('1 ends'))
})

test('numbers are kept over a restart, never given twice, and come back late', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pileus-state-'))
  try {
    const state = new State(folder)
    await state.load()
    const a = someNetwork(), b = someNetwork(), c = someNetwork(), port = somePort(a, '10.0.0.5')
    assert.deepEqual([(await state.putNetwork(a)).index, (await state.putNetwork(b)).index, (await state.putNetwork(a)).index], [1, 2, 1])
    const mark = (await state.putPort(port)).mark
    const router = await state.putRouter(someRouter([a, b]))
    assert.deepEqual(Object.values(router.attachments), [3, 4])
    await state.drop('networks', b.id)
    await writeFile(join(folder, 'ports', 'broken.json'), '{')
    await writeFile(join(folder, 'ports', 'x.json.1234.tmp'), '')
    const again = new State(folder)
    await again.load()
    assert.deepEqual([again.networks.get(a.id)?.index, again.ports.get(port.id)?.mark, again.networks.has(b.id)], [1, mark, false])
    assert.equal((await again.putNetwork(c)).index, 5, 'a number just given back is not given again')
    assert.deepEqual((await readdir(join(folder, 'ports'))), [`${port.id}.json`])
    assert.equal(again.portOfAddress(a.id, '10.0.0.5'), port.id)
    assert.equal(again.networkOfIndex(3), a.id)
    assert.equal(again.portOfAddress(c.id, '10.0.0.5'), undefined)
  } finally {
    await rm(folder, { recursive: true })
  }
})
