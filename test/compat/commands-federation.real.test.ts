// The real client let in by others' words: by an OpenID provider (password, its own credentials, an access token), by SAML2 without a browser, by OAuth1, and by one cloud into another.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { startProvider } from '#services/identity/federation/oidc-provider.testing.ts'
import { startEcpProvider } from '#services/identity/federation/saml-provider.testing.ts'
import { testCloud } from '../cloud.ts'
import { column, commands } from './shared-cloud.ts'

const c = await commands(), { admin } = c, far = await testCloud()
const redirect = 'http://127.0.0.1:1/back'
const openid = await startProvider({ alice: { groups: ['dev'], email: 'alice@there.example' }, pileus: { groups: ['dev'], email: 'robot@there.example' } }, redirect), saml = await startEcpProvider()
test.after(async () => { openid.close(); saml.close(); await far.close(); await c.close() })

const relyingParty = async (protocol: string, relying_party: object): Promise<void> => {
  const { status, body } = await c.cloud.http(await c.cloud.login('admin'), 'PUT', `/identity/v3/OS-FEDERATION/identity_providers/acme/protocols/${protocol}/relying_party`, { relying_party })
  assert.equal(status, 200, JSON.stringify(body))
}
test.before(async () => {
  const rules = join(c.dir, 'rules.json'), group = (await admin.json('group create dev')).id, local = { user: { name: '{0}' }, group: { id: group } }
  writeFileSync(rules, JSON.stringify([{ local: [local], remote: [{ type: 'HTTP_OIDC_PREFERRED_USERNAME' }] }, { local: [local], remote: [{ type: 'MELLON_NAME_ID' }] }]))
  await admin('role add member --group dev --project demo')
  await admin('identity provider create acme')
  await admin('mapping create everybody --rules', rules)
  for (const protocol of ['openid', 'saml2']) await admin(`federation protocol create ${protocol} --identity-provider acme --mapping everybody`)
  await relyingParty('openid', { kind: 'oidc', issuer: openid.issuer, client_id: 'pileus', client_secret: 'the-client-secret', audiences: ['pileus', 'urn:pileus'] })
  await relyingParty('saml2', { kind: 'saml2', entity_id: saml.entity, certificates: [saml.certificate] })
})

const demo = { OS_PROJECT_NAME: 'demo', OS_PROJECT_DOMAIN_NAME: 'Default' }, at = (protocol: string) => ({ OS_IDENTITY_PROVIDER: 'acme', OS_PROTOCOL: protocol })
const oidc = (type: string, more: Record<string, string>) => ({
  OS_AUTH_TYPE: type, ...at('openid'), OS_CLIENT_ID: 'pileus', OS_CLIENT_SECRET: 'the-client-secret', OS_DISCOVERY_ENDPOINT: `${openid.issuer}/.well-known/openid-configuration`, ...more,
})
const alice = oidc('v3oidcpassword', { OS_USERNAME: 'alice', OS_PASSWORD: 'correct' })

test('v3oidcpassword: an unscoped token lists where one may go, and one goes there', async () => {
  const unscoped = c.client.told(alice)
  assert.deepEqual(column(await unscoped.json('federation project list'), 'Name'), ['demo'])
  assert.deepEqual(await unscoped.json('federation domain list'), [])
  const scoped = c.client.told({ ...alice, ...demo })
  assert.equal((await scoped.json('token issue')).project_id, c.cloud.seeded.demoProjectId)
  assert.deepEqual(await scoped.json('server list'), [])
  await c.client.told({ ...alice, OS_PASSWORD: 'wrong' }).fails('token issue')
})

test('v3oidcclientcredentials, v3oidcaccesstoken', async () => {
  const robot = c.client.told({ ...oidc('v3oidcclientcredentials', {}), ...demo })
  assert.equal((await robot.json('token issue')).project_id, c.cloud.seeded.demoProjectId)
  const reply = await fetch(`${openid.issuer}/token`, {
    method: 'POST', headers: { authorization: `Basic ${btoa('pileus:the-client-secret')}` }, body: new URLSearchParams({ grant_type: 'password', username: 'alice', password: 'correct', scope: 'openid profile' }),
  })
  const { access_token: token } = await reply.json() as { access_token: string }
  const holder = (text: string) => c.client.told({ OS_AUTH_TYPE: 'v3oidcaccesstoken', ...at('openid'), OS_ACCESS_TOKEN: text, ...demo })
  assert.deepEqual(await holder(token).json('network list -c Name'), await c.demo.json('network list -c Name'))
  assert.match(await holder('nonsense').fails('token issue'), /401/)
})

test('v3samlpassword: to the provider and back with its signed word', async () => {
  const bob = { OS_AUTH_TYPE: 'v3samlpassword', ...at('saml2'), OS_IDENTITY_PROVIDER_URL: saml.url, OS_USERNAME: 'bob', OS_PASSWORD: 'correct' }
  assert.deepEqual(column(await c.client.told(bob).json('federation project list'), 'Name'), ['demo'])
  const token = await c.client.told({ ...bob, ...demo }).json('token issue')
  assert.equal((await admin.json(`user show ${token.user_id}`)).name, 'bob')
  await c.client.told({ ...bob, OS_PASSWORD: 'wrong' }).fails('token issue')
})

test('v3oauth1: a consumer acts for whom allowed it, where and as what he allowed', async () => {
  const consumer = await admin.json('consumer create'), own = `--consumer-key ${consumer.id} --consumer-secret ${consumer.secret}`
  const request = await admin.json(`request token create ${own} --project admin`)
  const { oauth_verifier: verifier } = await admin.json(`request token authorize --request-key ${request.id} --role member`)
  const access = await admin.json(`access token create ${own} --request-key ${request.id} --request-secret ${request.secret} --verifier ${verifier}`)
  const acting = { OS_AUTH_TYPE: 'v3oauth1', OS_CONSUMER_KEY: consumer.id, OS_CONSUMER_SECRET: consumer.secret, OS_ACCESS_KEY: access.id, OS_ACCESS_SECRET: access.secret }
  const token = await c.client.told(acting).json('token issue')
  assert.deepEqual([token.project_id, token.user_id], [c.cloud.seeded.adminProjectId, c.cloud.seeded.adminUserId])
  assert.deepEqual(await c.client.told(acting).json('server list'), [])
  assert.match(await c.client.told(acting).fails('consumer list'), /403/, 'he allowed a member\'s role')
  assert.match(await c.client.told({ ...acting, OS_ACCESS_SECRET: 'x' }).fails('token issue'), /401/)
  await admin(`consumer delete ${consumer.id}`)
  assert.match(await c.client.told(acting).fails('token issue'), /401/)
})

test('keystone to keystone: who is known here is let in there', async () => {
  const metadata = (await c.cloud.http<string>(undefined, 'GET', '/identity/v3/OS-FEDERATION/saml2/metadata')).body, there = `${far.url}/identity/v3/OS-FEDERATION/identity_providers/near/protocols/saml2`
  const entity = /entityID="([^"]+)"/.exec(metadata)![1]!, certificate = /X509Certificate>([^<]+)</.exec(metadata)![1]!, token = await far.login('admin')
  const put = async (path: string, body: object): Promise<void> => { const reply = await far.http(token, 'PUT', `/identity/v3/OS-FEDERATION${path}`, body); assert.ok(reply.status < 300, JSON.stringify(reply.body)) }
  await put('/identity_providers/near', { identity_provider: { enabled: true, remote_ids: [entity] } })
  await put('/mappings/near', { mapping: { schema_version: '2.0', rules: [{ local: [{ user: { name: '{0}' }, projects: [{ name: 'guests', domain: { id: 'default' }, roles: [{ name: 'member' }] }] }], remote: [{ type: 'openstack_user' }] }] } })
  await put('/identity_providers/near/protocols/saml2', { protocol: { mapping_id: 'near' } })
  await put('/identity_providers/near/protocols/saml2/relying_party', { relying_party: { kind: 'saml2', entity_id: entity, certificates: [certificate], allow_unsolicited: true } })
  await admin(`service provider create far --enable --auth-url ${there}/auth --service-provider-url ${there}/auth`)
  const home = { OS_USERNAME: 'demo', OS_PASSWORD: c.cloud.config.secrets.demoPassword, OS_USER_DOMAIN_NAME: 'Default', ...demo }
  const abroad = c.client.told({ ...home, OS_SERVICE_PROVIDER: 'far', OS_REMOTE_PROJECT_NAME: 'guests', OS_REMOTE_PROJECT_DOMAIN_NAME: 'Default' })
  const issued = await abroad.json('token issue')
  const { user, project } = (await far.http(token, 'GET', '/identity/v3/auth/tokens', undefined, { 'x-subject-token': issued.id })).body.token
  assert.deepEqual([user.name, project.name, user['OS-FEDERATION'].identity_provider.id], ['demo', 'guests', 'near'])
  assert.deepEqual(column(await abroad.json('catalog list'), 'Name').sort(), column(await c.demo.json('catalog list'), 'Name').sort())
})
