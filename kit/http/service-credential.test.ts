import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newFernetKey, sealFernet } from '#kit/crypto/fernet.ts'
import { authenticated } from '#kit/policy/rules.ts'
import { startApi } from '#kit/testing/api.ts'
import { operationsOf } from './operation.ts'
import { serviceCredentialHeader, serviceCredentials } from './service-credential.ts'

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

test('the server takes a service\'s credential in the place of a token, for operations of users and of services alone', async () => {
  const operation = operationsOf<undefined>(), credentials = serviceCredentials({ keys: [newFernetKey()] })
  const handle = async ({ actor }: { actor: object }) => ({ actor })
  const api = await startApi({
    openServiceCredential: credentials.open,
    services: [{ deps: () => undefined, module: { migrations: [], access: async () => [], http: { name: 'echo', mount: '/echo', prefixes: [''], envelope: (f) => f, operations: [
      operation({ name: 'forAll', method: 'GET', path: '/all', summary: '.', access: authenticated, handle }),
      operation({ name: 'forServices', method: 'GET', path: '/internal', summary: '.', access: authenticated, internal: true, handle }),
    ] } } }],
  })
  try {
    const actor = { service: 'compute', userId: 'u', roles: [] }
    const headers = { [serviceCredentialHeader]: credentials.seal(actor) }
    for (const path of ['/echo/all', '/echo/internal']) assert.deepEqual((await api.http('GET', path, { headers })).body, { actor })
    assert.equal((await api.http('GET', '/echo/internal', { token: 'admin' })).status, 404, 'whatever a user\'s roles')
    assert.equal((await api.http('GET', '/echo/all', { token: 'admin' })).status, 200)
    assert.equal((await api.http('GET', '/echo/all', { token: 'admin', headers: { [serviceCredentialHeader]: 'forged' } })).status, 401)
  } finally { await api.close() }
})
