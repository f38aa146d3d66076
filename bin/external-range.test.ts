import assert from 'node:assert/strict'
import { test } from 'node:test'
import { externalOf, freeRange, numberOf, rangeOf } from './external-range.ts'

const range = (cidr: string) => { const [address, bits] = cidr.split('/'); return rangeOf(numberOf(address!), -1 << (32 - Number(bits))) }

test('the first range nobody touches is taken', async () => {
  assert.deepEqual(await freeRange([]), { cidr: '172.24.4.0/24', gateway: '172.24.4.1' })
  assert.equal((await freeRange([range('172.24.4.1/24'), range('10.0.0.0/8')])).cidr, '172.24.5.0/24')
  assert.equal((await freeRange([range('172.24.4.0/30'), range('172.24.5.128/25')])).cidr, '172.24.6.0/24')
  await assert.rejects(freeRange([range('172.16.0.0/12')]), /--external-cidr/)
})

test('a range that is asked for must be a network', () => {
  assert.deepEqual(externalOf('192.0.2.0/25'), { cidr: '192.0.2.0/25', gateway: '192.0.2.1' })
  assert.deepEqual(externalOf('203.0.113.64/26').gateway, '203.0.113.65')
  for (const bad of ['192.0.2.1/25', '192.0.2.0', '192.0.256.0/24', '192.0.2.0/30', 'x', '::/64']) assert.throws(() => externalOf(bad), /no IPv4 network/)
})
