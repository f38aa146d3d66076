import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'

let api: IdentityApi, client: { id: string, secret: string }
before(async () => {
  api = await startIdentity({ quiet: true })
  const token = api.as('member')!
  client = (await api.call<any>(token, 'identity', 'createApplicationCredential', { params: { user_id: api.userId('member') }, body: { application_credential: { name: 'client' } } })).body.application_credential
})
after(() => api.close())

const ask = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
  api.http('POST', '/identity/v3/OS-OAUTH2/token', { headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: new URLSearchParams(fields).toString() })
const basic = (id: string, secret: string) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` })
const grant = { grant_type: 'client_credentials' }

test('a credential\'s id and secret, in the header or in the form, are a token for its project', async () => {
  for (const reply of [await ask(grant, basic(client.id, client.secret)), await ask({ ...grant, client_id: client.id, client_secret: client.secret })]) {
    assert.deepEqual([reply.status, reply.body.token_type, reply.headers.get('cache-control'), Object.keys(reply.body).sort()], [200, 'Bearer', 'no-store', ['access_token', 'expires_in', 'token_type']])
    assert.ok(reply.body.expires_in > 3500 && reply.body.expires_in <= 3600)
    const shown = (await api.http('GET', '/identity/v3/auth/tokens', { token: reply.body.access_token, headers: { 'x-subject-token': reply.body.access_token } })).body.token
    assert.deepEqual([shown.project.id, shown.methods, shown.application_credential.id], [api.projectId, ['application_credential'], client.id])
  }
})

test('refusals are OAuth2\'s', async () => {
  const cases: [fields: Record<string, string>, headers: Record<string, string>, status: number, error: string][] = [
    [{}, {}, 400, 'invalid_request'], [{ grant_type: 'password' }, {}, 400, 'unsupported_grant_type'], [grant, {}, 401, 'invalid_client'], [grant, basic(client.id, 'wrong'), 401, 'invalid_client'],
    [grant, basic('nobody', 'wrong'), 401, 'invalid_client'], [grant, { authorization: 'Basic !!' }, 401, 'invalid_client'], [grant, basic(client.id, ''), 401, 'invalid_client'], [{ ...grant, client_id: client.id }, {}, 401, 'invalid_client'],
  ]
  for (const [fields, headers, status, error] of cases) {
    const reply = await ask(fields, headers)
    assert.deepEqual([reply.status, reply.body.error], [status, error], JSON.stringify([fields, headers]))
    if (status === 401) assert.match(reply.headers.get('www-authenticate')!, /^Keystone uri=/)
  }
  assert.equal((await api.http('GET', '/identity/v3/OS-OAUTH2/token')).status, 405)
  assert.equal((await ask({ ...grant, x: 'x'.repeat(20_000) })).status, 413)
})
