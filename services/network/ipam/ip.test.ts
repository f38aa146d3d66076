import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultPools, eui64, formatCidr, formatIp, fromKey, keyOf, overlap, parseCidr, parseIp, usable } from './ip.ts'

const text = (r: { first: bigint, last: bigint }, version: 4 | 6 = 4): string => `${formatIp({ version, value: r.first })}-${formatIp({ version, value: r.last })}`

test('addresses are read strictly and written canonically', () => {
  assert.equal(formatIp(parseIp('2001:DB8:0:0::1')!), '2001:db8::1')
  assert.equal(formatIp(parseIp('10.0.0.5')!), '10.0.0.5')
  for (const wrong of ['10.0.0.05', '10.0.0', '10.0.0.5/24', 'fe80::1%eth0', '', 'ten', '1.2.3.4.5', '::ffff:1.2.3.4.5']) assert.equal(parseIp(wrong), undefined, wrong)
})

test('prefixes know their host bits', () => {
  assert.equal(formatCidr(parseCidr('10.0.0.5/24')!), '10.0.0.0/24')
  assert.equal(parseCidr('10.0.0.5/24')!.hostBits, true)
  assert.equal(parseCidr('10.0.0.5')!.prefix, 32)
  for (const wrong of ['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/1e1']) assert.equal(parseCidr(wrong), undefined, wrong)
})

test('keys sort as numbers', () => {
  const sorted = ['9.0.0.1', '10.0.0.1', '10.0.0.2', '200.0.0.1'].map((a) => keyOf(parseIp(a)!))
  assert.deepEqual([...sorted].sort(), sorted)
  assert.equal(formatIp(fromKey(sorted[1]!)), '10.0.0.1')
  assert.equal(formatIp(fromKey(keyOf(parseIp('2001:db8::5')!))), '2001:db8::5')
})

test('pools leave out network, broadcast and gateway', () => {
  const cidr = parseCidr('10.0.0.0/29')!
  assert.deepEqual(defaultPools(cidr, parseIp('10.0.0.1')!.value).map((r) => text(r)), ['10.0.0.2-10.0.0.6'])
  assert.deepEqual(defaultPools(cidr, parseIp('10.0.0.3')!.value).map((r) => text(r)), ['10.0.0.1-10.0.0.2', '10.0.0.4-10.0.0.6'])
  assert.deepEqual(defaultPools(cidr, undefined).map((r) => text(r)), ['10.0.0.1-10.0.0.6'])
  assert.equal(text(usable(parseCidr('10.0.0.0/31')!)), '10.0.0.0-10.0.0.1')
  assert.equal(text(usable(parseCidr('2001:db8::/64')!), 6), '2001:db8::1-2001:db8::ffff:ffff:ffff:ffff')
})

test('SLAAC addresses come of the card', () => assert.equal(formatIp(eui64(parseCidr('2001:db8:1:2::/64')!, 'fa:16:3e:01:02:03')), '2001:db8:1:2:f816:3eff:fe01:203'))

test('overlaps are of one version', () => {
  assert.ok(overlap(parseCidr('10.0.0.0/8')!, parseCidr('10.1.0.0/16')!))
  assert.ok(!overlap(parseCidr('10.0.0.0/24')!, parseCidr('10.0.1.0/24')!))
  assert.ok(!overlap(parseCidr('0.0.0.0/0')!, parseCidr('::/0')!))
})
