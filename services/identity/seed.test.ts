import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKeyring } from './tokens/keys-store.ts'
import { cheap } from './passwords/hasher.ts'
import { seed } from './seed.ts'
import { adminPassword, startIdentity } from './testing.ts'

test('a second seed finds everything there, changes no password, and follows the public URL', async () => {
  const api = await startIdentity()
  try {
    const again = () => seed(api.store, { passwords: { admin: 'another', demo: 'another' }, passwordCost: cheap, endpoints: [{ type: 'identity', name: 'keystone', url: 'https://cloud.example/identity' }] })
    const [first, second] = await Promise.all([again(), again()])
    assert.deepEqual(first, api.seeded)
    assert.deepEqual(second, api.seeded)
    const token = await api.token({ name: 'admin', password: adminPassword }, { project: { id: api.seeded.adminProjectId } })
    const { catalog } = (await api.http('GET', '/identity/v3/auth/catalog', { token })).body
    const identity = catalog.filter((s: any) => s.type === 'identity')
    assert.deepEqual([identity.length, [...new Set(identity[0].endpoints.map((e: any) => e.url))], identity[0].endpoints.length], [1, ['https://cloud.example/identity'], 3])
    assert.deepEqual((await openKeyring(api.deps.store)).keys, api.deps.keyring.keys, 'every process has the same keys')
  } finally { await api.close() }
})
