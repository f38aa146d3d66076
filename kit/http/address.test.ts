import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourceOf } from './address.ts'

test('one sender is one source, however his address is written', () => {
  for (const [source, ...same] of [
    ['10.0.0.1', '::ffff:10.0.0.1', '::ffff:a00:1'],
    ['2001:db8:1:2', '2001:db8:1:2::', '2001:db8:1:2:3:4:5:6', '2001:0db8:0001:0002::9'],
    ['2001:db8:0:0', '2001:db8::1', '2001:db8:0:0:5::', '2001:db8::1.2.3.4'],
    ['fe80:0:0:0', 'fe80::1', 'fe80::5054:ff:fe12:3456%eth0'], ['0:0:0:0', '::1', '::2'],
    ['', ''], ['nowhere', 'nowhere'],
  ]) for (const address of same) assert.equal(sourceOf(address), source, address)
})
