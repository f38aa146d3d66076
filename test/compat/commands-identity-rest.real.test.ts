// What the `openstack` client has for identity beyond the daily and its administration: the catalogue, groups, credentials, trusts, federation, OAuth.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { column, commands } from './shared-cloud.ts'

const c = await commands()
test.after(() => c.close())
const { admin, demo } = c
const file = (name: string, content: unknown): string => {
  const path = join(c.dir, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

test('regions, services and endpoints', async () => {
  await admin('region create r2 --description second')
  await admin('region set r2 --description', 'the second')
  assert.equal((await admin.json('region show r2')).description, 'the second')
  const service = await admin.json('service create --name thing --description things things')
  await admin(`service set ${service.id} --disable`)
  assert.equal((await admin.json(`service show ${service.id}`)).enabled, false)
  const endpoint = await admin.json('endpoint create --region r2 thing public http://127.0.0.1:1/')
  await admin(`endpoint set ${endpoint.id} --url http://127.0.0.1:2/`)
  assert.equal((await admin.json(`endpoint show ${endpoint.id}`)).url, 'http://127.0.0.1:2/')
  await admin(`endpoint delete ${endpoint.id}`)
  await admin(`service delete ${service.id}`)
  await admin('region delete r2')
})

test('domains, groups and roles', async () => {
  assert.equal((await admin.json('domain show default')).name, 'Default')
  await admin('group create g')
  await admin('group set g --description grown')
  assert.equal((await admin.json('group show g')).description, 'grown')
  assert.deepEqual(column(await admin.json('group list'), 'Name'), ['g'])
  await admin('group add user g demo')
  await admin('group remove user g demo')
  await admin('group delete g')
  await admin('role create cook')
  await admin('role set cook --description', 'who cooks')
  assert.equal((await admin.json('role show cook')).description, 'who cooks')
  assert.ok(column(await admin.json('role list'), 'Name').includes('cook'))
})

test('credentials, EC2 credentials, application credentials and access rules', async () => {
  const credential = await admin.json('credential create --type cert demo', 'the-blob')
  await admin(`credential set ${credential.id} --user demo --type cert --data other-blob`)
  assert.equal((await admin.json(`credential show ${credential.id}`)).blob, 'other-blob')
  assert.equal((await admin.json('credential list --type cert')).length, 1)
  await admin(`credential delete ${credential.id}`)
  const { access } = await demo.json('ec2 credentials create')
  assert.equal((await demo.json(`ec2 credentials show ${access}`)).access, access)
  assert.deepEqual(column(await demo.json('ec2 credentials list'), 'Access'), [access])
  await demo(`ec2 credentials delete ${access}`)
  await demo('application credential create narrow --access-rules', JSON.stringify([{ service: 'compute', method: 'GET', path: '/v2.1/servers' }]))
  assert.equal((await demo.json('application credential show narrow')).name, 'narrow')
  const [rule] = await demo.json<{ ID: string }[]>('access rule list')
  assert.equal((await demo.json(`access rule show ${rule!.ID}`)).path, '/v2.1/servers')
  await demo('application credential delete narrow')
  await demo(`access rule delete ${rule!.ID}`)
})

test('trusts', async () => {
  const trust = await demo.json(`trust create --project ${c.cloud.seeded.demoProjectId} --role ${c.cloud.seeded.roleIds.member} ${c.cloud.seeded.demoUserId} ${c.cloud.seeded.adminUserId}`)
  assert.equal((await demo.json(`trust show ${trust.id}`)).trustor_user_id, c.cloud.seeded.demoUserId)
  assert.equal((await admin.json('trust list')).length, 1)
  await demo(`trust delete ${trust.id}`)
})

test('federation: identity providers, mappings, protocols, service providers', async () => {
  const rules = file('rules.json', [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'REMOTE_USER' }] }])
  await admin('identity provider create idp --remote-id https://idp.example.org/')
  await admin('identity provider set idp --description', 'theirs')
  assert.equal((await admin.json('identity provider show idp')).description, 'theirs')
  assert.deepEqual(column(await admin.json('identity provider list'), 'ID'), ['idp'])
  await admin('mapping create m --rules', rules)
  await admin('mapping set m --rules', rules)
  assert.equal((await admin.json('mapping show m')).id, 'm')
  assert.deepEqual(column(await admin.json('mapping list'), 'ID'), ['m'])
  await admin('federation protocol create openid --identity-provider idp --mapping m')
  await admin('mapping create m2 --rules', rules)
  // The client does it and then dies of its own answer.
  await admin.attempt('federation protocol set openid --identity-provider idp --mapping m2')
  assert.equal((await admin.json('federation protocol show openid --identity-provider idp')).mapping, 'm2')
  assert.deepEqual(column(await admin.json('federation protocol list --identity-provider idp'), 'id'), ['openid'])
  await admin('federation protocol delete openid --identity-provider idp')
  await admin('mapping delete m')
  await admin('identity provider delete idp')
  await admin('service provider create sp --auth-url https://sp.example.org/v3 --service-provider-url https://sp.example.org/Shibboleth.sso/SAML2/ECP')
  await admin('service provider set sp --description', 'far away')
  assert.equal((await admin.json('service provider show sp')).description, 'far away')
  assert.deepEqual(column(await admin.json('service provider list'), 'ID'), ['sp'])
  await admin('service provider delete sp')
})

test('OAuth consumers', async () => {
  const consumer = await admin.json('consumer create --description', 'a consumer')
  await admin(`consumer set ${consumer.id} --description`, 'the consumer')
  assert.equal((await admin.json(`consumer show ${consumer.id}`)).description, 'the consumer')
  assert.deepEqual(column(await admin.json('consumer list'), 'ID'), [consumer.id])
  const request = await admin.json(`request token create --consumer-key ${consumer.id} --consumer-secret ${consumer.secret} --project demo`)
  const allowed = await admin.json(`request token authorize --request-key ${request.id} --role member`)
  assert.equal((await admin.json(`access token create --consumer-key ${consumer.id} --consumer-secret ${consumer.secret} --request-key ${request.id} --request-secret ${request.secret} --verifier ${allowed.oauth_verifier}`)).id.length > 0, true)
  await admin(`consumer delete ${consumer.id}`)
})
