import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newFernetKey, openFernet, sealFernet } from './fernet.ts'

test('the published example of the Fernet specification opens', () => {
  const key = Buffer.from('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=', 'base64url')
  const opened = openFernet([key], 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==')
  assert.equal(opened?.payload.toString(), 'hello')
  assert.equal(opened?.sealedAtSeconds, 499162800)
})

test('what is sealed opens under the primary and under older keys, and under no other', () => {
  const [old, now, other] = [newFernetKey(), newFernetKey(), newFernetKey()]
  const text = sealFernet(old, Buffer.from('x'), 7)
  assert.equal(openFernet([now, old], text)?.payload.toString(), 'x')
  assert.equal(openFernet([now, other], text), undefined)
})

test('what was tampered with, cut or is no Fernet at all does not open', () => {
  const key = newFernetKey(), text = sealFernet(key, Buffer.from('payload'))
  for (let i = 0; i < text.length; i++) {
    const other = text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1)
    assert.equal(openFernet([key], other), undefined, `byte ${i}`)
  }
  // The last letter holds bits that no byte needs.
  const twins = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map((c) => text.slice(0, -1) + c).filter((t) => t !== text && Buffer.from(t, 'base64url').equals(Buffer.from(text, 'base64url')))
  assert.ok(twins.length > 0)
  for (const bad of [...twins, '', 'a', text.slice(0, -4), `${text}AAAA`, 'ä'.repeat(100), 'A'.repeat(10_000), '__proto__']) assert.equal(openFernet([key], bad), undefined)
})
