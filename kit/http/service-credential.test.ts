import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newFernetKey, sealFernet } from '#kit/crypto/fernet.ts'
import { serviceCredentials } from './service-credential.ts'

test('a service credential lives a minute, in one cloud, and is no token', () => {
  let nowMs = 1_000_000_000_000
  const keyring = { keys: [newFernetKey()] }
  const credentials = serviceCredentials(keyring, () => nowMs)
  const actor = { service: 'compute', userId: 'u', projectId: 'p', roles: ['member'] }
  const sealed = credentials.seal(actor)
  assert.deepEqual(credentials.open(sealed), actor)
  nowMs += 59_000
  assert.deepEqual(credentials.open(sealed), actor)
  nowMs += 2_000
  assert.throws(() => credentials.open(sealed), { kind: 'unauthorized' })
  nowMs -= 120_000
  assert.throws(() => credentials.open(sealed), { kind: 'unauthorized' }, 'from the future')
  assert.throws(() => serviceCredentials({ keys: [newFernetKey()] }).open(credentials.seal(actor)), { kind: 'unauthorized' })
  assert.throws(() => credentials.open(sealFernet(keyring.keys[0]!, Buffer.from(JSON.stringify(actor)), nowMs / 1000)), { kind: 'unauthorized' }, 'sealed for another purpose')
  assert.throws(() => credentials.open('rubbish'), { kind: 'unauthorized' })
  assert.throws(() => credentials.seal({ userId: 'u', roles: [] }))
})
