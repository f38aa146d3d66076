import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Serial } from '#base/serial.ts'

test('work on one key keeps its order, failures included; other keys do not wait', async () => {
  const serial = new Serial(), order: string[] = []
  let open: () => void = () => {}
  const gate = new Promise<void>(resolve => { open = resolve })
  const first = serial.run('a', async () => { await gate; order.push('a1') })
  const second = serial.run('a', async () => { order.push('a2'); throw new Error('no') })
  const third = serial.run('a', async () => { order.push('a3'); return 3 })
  await serial.run('b', async () => { order.push('b') })
  open()
  await first
  await assert.rejects(second, /no/)
  assert.equal(await third, 3)
  await serial.idle()
  assert.deepEqual(order, ['b', 'a1', 'a2', 'a3'])
})
