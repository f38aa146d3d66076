import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { identityDeps } from '../deps.ts'
import { cheap } from '../passwords/hasher.ts'
import { startIdentity, type IdentityApi, type Inhabitant } from '../testing.ts'
import { rotateCredentialKeys } from './keys-store.ts'
import { checkS3Signature, checkSignature } from './signature.ts'

let api: IdentityApi, offsetMs = 0
const clock = (): number => Date.now() + offsetMs, sealKey = Buffer.alloc(32, 7)
before(async () => { api = await startIdentity({ clock, sealKey, config: { maxCredentialsPerUser: 12 } }) })
after(() => api.close())
const v3 = (token: string, method: string, path: string, body?: unknown) => api.http(method, `/identity/v3${path}`, { token, ...(body !== undefined && { body }) })
const make = async (token: string, credential: object) => v3(token, 'POST', '/credentials', { credential })
const stored = () => api.deps.store.read((tx) => tx.db.selectFrom('identityCredentials').selectAll().execute())
const ec2Of = async (who: Inhabitant, token?: string): Promise<{ access: string, secret: string, trust_id: string | null }> => {
  const reply = await v3(token ?? await who.token(), 'POST', `/users/${who.id}/credentials/OS-EC2`, { tenant_id: who.projectId })
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  return reply.body.credential
}
const appToken = async (who: Inhabitant, more: object = {}): Promise<string> => {
  const { application_credential: made } = (await v3(await who.token(), 'POST', `/users/${who.id}/application_credentials`, { application_credential: { name: 'app', ...more } })).body
  return (await api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['application_credential'], application_credential: { id: made.id, secret: made.secret } } } } })).headers.get('x-subject-token')!
}

test('a credential is made, shown, changed, listed and deleted as in keystone', async () => {
  const who = await api.inhabitant(), token = await who.token()
  const made = (await make(token, { user_id: who.id, type: 'cert', blob: '-----BEGIN', note: 'mine' })).body.credential
  assert.deepEqual({ ...made, id: '' }, { id: '', user_id: who.id, project_id: null, type: 'cert', blob: '-----BEGIN', note: 'mine', links: { self: `${api.publicUrl}/identity/v3/credentials/${made.id}` } })
  assert.deepEqual((await v3(token, 'GET', `/credentials/${made.id}`)).body.credential, made)
  const changed = await v3(token, 'PATCH', `/credentials/${made.id}`, { credential: { blob: 'other', type: 'x509', project_id: who.projectId } })
  assert.deepEqual(changed.body.credential, { ...made, blob: 'other', type: 'x509', project_id: who.projectId })
  await make(token, { user_id: who.id, type: 'cert', blob: 'y' })
  const types = async (query: string, as = token): Promise<string[]> => (await v3(as, 'GET', `/credentials${query}`)).body.credentials.map((c: any) => c.type).sort()
  assert.deepEqual(await types(''), ['cert', 'x509'])
  assert.deepEqual(await types('?type=cert'), ['cert'])
  assert.deepEqual(await types(`?user_id=${who.id}`, api.adminToken), ['cert', 'x509'])
  assert.deepEqual(await types(`?user_id=${api.seeded.adminUserId}`), [], 'others\' are not there')
  assert.equal((await v3(token, 'DELETE', `/credentials/${made.id}`)).status, 204)
  assert.equal((await v3(token, 'GET', `/credentials/${made.id}`)).status, 404)
  await api.admin('deleteUser', { params: { user_id: who.id } })
  assert.deepEqual(await types(`?user_id=${who.id}`, api.adminToken), [], 'they go with the user')
})

test('a domain\'s administrator lists what he may show: everybody\'s', async () => {
  const who = await api.inhabitant(), other = await api.inhabitant()
  await api.admin('createDomainUserGrant', { params: { domain_id: 'default', user_id: who.id, role_id: api.seeded.roleIds.admin! } })
  const token = await who.token({ domain: { id: 'default' } }), { id } = (await make(await other.token(), { user_id: other.id, type: 'cert', blob: 'x' })).body.credential
  assert.equal((await v3(token, 'GET', `/credentials/${id}`)).status, 200)
  assert.deepEqual((await v3(token, 'GET', `/credentials?user_id=${other.id}`)).body.credentials.map((c: any) => c.id), [id])
  assert.deepEqual((await v3(await who.token(), 'GET', `/credentials?user_id=${other.id}`)).body.credentials, [], 'not so with the token of a project where he is a member')
})

test('what makes no sense, and what belongs to others', async () => {
  const who = await api.inhabitant(), other = await api.inhabitant(), token = await who.token()
  for (const credential of [
    {}, { user_id: who.id, type: 'cert' }, { user_id: who.id, blob: 'x' }, { type: 'cert', blob: 'x' }, { user_id: who.id, type: 'cert', blob: { a: 1 } }, { user_id: who.id, type: '', blob: 'x' },
    { user_id: who.id, type: 'ec2', blob: '{"access":"a","secret":"b"}' }, { user_id: who.id, type: 'ec2', project_id: who.projectId, blob: 'no json' }, { user_id: who.id, type: 'ec2', project_id: who.projectId, blob: '[]' },
    { user_id: who.id, type: 'ec2', project_id: who.projectId, blob: '{"secret":"b"}' }, { user_id: who.id, type: 'ec2', project_id: who.projectId, blob: '{"access":"a","secret":"b","trust_id":"forged"}' },
    { user_id: who.id, type: 'cert', blob: 'x'.repeat(70_000) },
  ]) assert.equal((await make(token, credential)).status, 400, JSON.stringify(credential).slice(0, 100))
  assert.equal((await make(token, { user_id: other.id, type: 'cert', blob: 'x' })).status, 403)
  const mine = (await make(token, { user_id: who.id, type: 'cert', blob: 'x' })).body.credential
  assert.equal((await v3(await other.token(), 'PATCH', `/credentials/${mine.id}`, { credential: { blob: 'y' } })).status, 404)
  assert.equal((await v3(token, 'PATCH', `/credentials/${mine.id}`, { credential: { user_id: other.id } })).status, 403, 'nor given away')
  assert.equal((await v3(token, 'PATCH', `/credentials/${mine.id}`, { credential: {} })).status, 400)
  const access = 'twice', ec2 = { user_id: who.id, type: 'ec2', project_id: who.projectId, blob: JSON.stringify({ access, secret: 's' }) }
  assert.deepEqual([(await make(token, ec2)).body.credential.id, (await make(token, ec2)).status], [createHash('sha256').update(access).digest('hex'), 409])
  for (let i = 0; i < 10; i++) await make(token, { user_id: who.id, type: 'cert', blob: 'x' })
  assert.equal((await make(token, { user_id: who.id, type: 'cert', blob: 'x' })).status, 403, 'there is an end')
})

test('blobs rest sealed, under keys that change; another control plane reads on', async () => {
  const who = await api.inhabitant(), token = await who.token()
  const made = (await make(token, { user_id: who.id, type: 'cert', blob: 'the secret of secrets' })).body.credential
  const other = await identityDeps({ store: api.store, tracer: api.tracer, passwordCost: cheap, clock, sealKey })
  const row = async () => (await stored()).find((r) => r.id === made.id)!
  const first = await row()
  assert.ok(!JSON.stringify(await stored()).includes('the secret'))
  const keys = () => api.deps.store.read((tx) => tx.db.selectFrom('identityCredentialKeys').selectAll().execute())
  assert.ok((await keys()).every((k) => k.secret.length > 60), 'and the keys are sealed themselves')
  const done = await rotateCredentialKeys(other.store, other.vault, clock())
  assert.ok(done.resealed >= 1)
  const second = await row()
  assert.deepEqual([Number(second.keyNumber), second.sealed === first.sealed], [Number(first.keyNumber) + 1, false])
  assert.equal((await v3(token, 'GET', `/credentials/${made.id}`)).body.credential.blob, 'the secret of secrets')
  assert.equal(await other.blobs.open(second), 'the secret of secrets')
  await assert.rejects(api.deps.blobs.open({ ...second, id: 'another' }), 'a blob is of its row')
  offsetMs += 3_700_000
  await rotateCredentialKeys(other.store, other.vault, clock())
  assert.deepEqual((await keys()).map((k) => Number(k.number)).sort(), [2, 3], 'what nobody needs is forgotten')
  offsetMs = 0
  const stranger = await identityDeps({ store: api.store, tracer: api.tracer, passwordCost: cheap, clock, sealKey: Buffer.alloc(32, 8) })
  await assert.rejects(stranger.blobs.open(second))
})

test('EC2 credentials: by access key, each user his own', async () => {
  const who = await api.inhabitant(), token = await who.token(), other = await api.inhabitant()
  const made = await ec2Of(who)
  assert.deepEqual(Object.keys(made).sort(), ['access', 'links', 'secret', 'tenant_id', 'trust_id', 'user_id'])
  const path = `/users/${who.id}/credentials/OS-EC2`
  assert.deepEqual((await v3(token, 'GET', path)).body.credentials, [made])
  assert.deepEqual((await v3(token, 'GET', `${path}/${made.access}`)).body.credential, made)
  assert.equal((await v3(await other.token(), 'GET', `/users/${other.id}/credentials/OS-EC2/${made.access}`)).status, 404)
  assert.deepEqual(JSON.parse((await v3(token, 'GET', '/credentials?type=ec2')).body.credentials[0].blob).secret, made.secret)
  for (const body of [{}, { tenant_id: 7 }, { tenant_id: who.projectId, more: 1 }]) assert.equal((await v3(token, 'POST', path, body)).status, 400)
  assert.equal((await v3(token, 'POST', path, { tenant_id: 'nosuch' })).status, 404)
  assert.equal((await v3(token, 'DELETE', `${path}/${made.access}`)).status, 204)
  assert.equal((await v3(token, 'GET', `${path}/${made.access}`)).status, 404)
  const restricted = await appToken(who)
  assert.equal((await v3(restricted, 'POST', path, { tenant_id: who.projectId })).status, 403)
})

const b64 = (algorithm: string, secret: string, text: string): string => createHmac(algorithm, secret).update(text).digest('base64')
const now = (): string => new Date(clock()).toISOString().slice(0, 19) + 'Z'
const version2 = ({ access, secret }: { access: string, secret: string }, more: object = {}) => {
  const params: Record<string, string> = { Action: 'DescribeInstances', AWSAccessKeyId: access, SignatureMethod: 'HmacSHA256', SignatureVersion: '2', Timestamp: now(), Name: 'a b*~é', ...more }
  const query = Object.keys(params).sort().map((key) => `${key}=${encodeURIComponent(params[key]!).replace(/\*/g, '%2A')}`).join('&')
  return { access, host: 'cloud:8788', verb: 'GET', path: '/services/Cloud', params, signature: b64('sha256', secret, `GET\ncloud:8788\n/services/Cloud\n${query}`) }
}
const ask = (credentials: unknown, as = api.adminToken, noun = 'ec2tokens') => v3(as, 'POST', `/${noun}`, { credentials })

test('a signed request is a token: in its project, its user\'s; no more than the rights it was made with', async () => {
  const who = await api.inhabitant('manager'), made = await ec2Of(who)
  const reply = await ask(version2(made))
  assert.equal(reply.status, 200, JSON.stringify(reply.body))
  const { token } = reply.body
  assert.deepEqual([token.methods, token.user.id, token.project.id, token.roles.map((r: any) => r.name)], [['ec2credential'], who.id, who.projectId, ['manager', 'member', 'reader']])
  assert.ok(token.catalog.length > 0)
  assert.equal((await v3(reply.headers.get('x-subject-token')!, 'GET', '/auth/projects')).status, 200)
  for (const name of ['credential', 'ec2Credentials']) assert.equal((await v3(api.adminToken, 'POST', '/ec2tokens', { [name]: version2(made) })).status, 200)
  assert.equal((await ask({ ...version2(made), host: 'cloud' })).status, 401, 'signed with another host')

  const bound = await appToken(who, { unrestricted: true, roles: [{ name: 'member' }] })
  const byApp = (await ask(version2(await ec2Of(who, bound)))).body.token
  assert.deepEqual([byApp.application_credential.name, byApp.roles.map((r: any) => r.name)], ['app', ['member', 'reader']])

  const trustee = await api.inhabitant()
  const trust = (await v3(await who.token(), 'POST', '/OS-TRUST/trusts', { trust: { trustor_user_id: who.id, trustee_user_id: trustee.id, project_id: who.projectId, impersonation: true, roles: [{ name: 'member' }] } })).body.trust
  const lent = await ec2Of(who, await trustee.token({ 'OS-TRUST:trust': { id: trust.id } }))
  assert.equal(lent.trust_id, trust.id)
  const byTrust = (await ask(version2(lent))).body.token
  assert.deepEqual([byTrust['OS-TRUST:trust'].id, byTrust.user.id, byTrust.roles.map((r: any) => r.name)], [trust.id, who.id, ['member', 'reader']])
  await v3(await who.token(), 'DELETE', `/OS-TRUST/trusts/${trust.id}`)
  assert.equal((await ask(version2(lent))).status, 401)
})

test('nothing is learnt from a refused signature; time is short; only services and administrators ask', async () => {
  const who = await api.inhabitant(), made = await ec2Of(who), good = version2(made)
  await v3(await who.token(), 'POST', '/credentials', { credential: { user_id: who.id, type: 'cert', blob: '{"access":"c","secret":"s"}' } })
  const seen = new Set<string>()
  for (const credentials of [
    { ...good, signature: 'x' }, { ...good, access: 'nosuch' }, { ...good, signature: undefined }, { ...good, access: undefined }, {}, undefined, { ...good, verb: 'POST' }, version2(made, { Timestamp: '2001-01-01T00:00:00Z' }),
    version2(made, { Timestamp: '2099-01-01T00:00:00Z' }), version2(made, { Timestamp: 'now' }), { ...good, params: {} }, { ...good, params: { ...good.params, SignatureVersion: '3' } },
    version2({ access: 'nosuch', secret: 'nobody has this secret' }), { access: made.access, signature: 'x', headers: { Authorization: 'AWS4-HMAC-SHA256' } },
  ]) {
    const reply = await ask(credentials)
    if (credentials === undefined) { assert.equal(reply.status, 400); continue }
    assert.equal(reply.status, 401, JSON.stringify(credentials))
    seen.add(JSON.stringify(reply.body))
  }
  assert.equal(seen.size, 1)
  for (const credentials of [7, [], 'x', { ...good, params: [] }, { ...good, headers: 7 }, { ...good, params: { a: {} } }]) assert.equal((await ask(credentials)).status, 400, JSON.stringify(credentials))
  assert.equal((await ask(good, await who.token())).status, 403)
  assert.equal((await api.http('POST', '/identity/v3/ec2tokens', { body: { credentials: good } })).status, 401)
  const service = await api.inhabitant('service')
  assert.equal((await ask(version2(made), await service.token())).status, 200)
  await api.admin('updateUser', { params: { user_id: who.id }, body: { user: { enabled: false } } })
  assert.equal((await ask(version2(made))).status, 401)
})

test('versions 0, 1 and 4; S3\'s text', async () => {
  const who = await api.inhabitant(), made = await ec2Of(who), { access, secret } = made
  const zero = { SignatureVersion: '0', Action: 'A', Timestamp: now() }
  assert.equal((await ask({ access, params: zero, signature: b64('sha1', secret, `A${zero.Timestamp}`) })).status, 200)
  const one: Record<string, string> = { SignatureVersion: '1', b: '2', A: '1', Timestamp: now() }
  assert.equal((await ask({ access, params: one, signature: b64('sha1', secret, ['A', 'b', 'SignatureVersion', 'Timestamp'].map((k) => k + one[k]).join('')) })).status, 200)

  const at = now().replace(/[-:]/g, ''), day = at.slice(0, 8), scope = `${day}/RegionOne/ec2/aws4_request`
  const keyFor = (service: string) => [day, 'RegionOne', service, 'aws4_request'].reduce<Buffer>((key, part) => createHmac('sha256', key).update(part).digest(), Buffer.from(`AWS4${secret}`))
  const sha = (text: string): string => createHash('sha256').update(text).digest('hex')
  const four = (params: Record<string, string>, query: string, headers: Record<string, string>) => {
    const canonical = `GET\n/\n${query}\nhost:cloud\nx-amz-date:${at}\n\nhost;x-amz-date\n${sha('')}`
    return { access, host: 'cloud', verb: 'GET', path: '/', params, headers: { Host: 'cloud', 'X-Amz-Date': at, ...headers }, body_hash: sha(''),
      signature: createHmac('sha256', keyFor('ec2')).update(`AWS4-HMAC-SHA256\n${at}\n${scope}\n${sha(canonical)}`).digest('hex') }
  }
  const authorization = `AWS4-HMAC-SHA256 Credential=${access}/${scope}, SignedHeaders=host;x-amz-date, Signature=x`
  assert.equal((await ask(four({ Action: 'A', B: 'c d' }, 'Action=A&B=c%20d', { Authorization: authorization }))).status, 200)
  assert.equal((await ask(four({ Action: 'A', B: 'changed' }, 'Action=A&B=c%20d', { Authorization: authorization }))).status, 401)

  const s3 = (text: string, signature: string, extra: object = {}) => ask({ access, token: Buffer.from(text).toString('base64url'), signature, ...extra }, api.adminToken, 's3tokens')
  const text = `AWS4-HMAC-SHA256\n${at}\n${scope.replace('ec2', 's3')}\n${sha('request')}`
  const signed = createHmac('sha256', keyFor('s3')).update(text).digest('hex')
  const reply = await s3(text, signed)
  assert.deepEqual([reply.status, reply.body.token.project.id, reply.headers.get('x-subject-token')], [200, who.projectId, null])
  assert.equal((await s3(`${text}\nmore`, signed)).status, 401)
  const elsewhere = text.replace('/s3/', '/ec2/')
  assert.equal((await s3(elsewhere, createHmac('sha256', keyFor('ec2')).update(elsewhere).digest('hex'))).status, 401, 'not for another service')
  assert.equal((await s3('GET\n\n\nx', b64('sha1', secret, 'GET\n\n\nx'))).status, 200)
  assert.equal((await s3('GET\n\n\nx', 'wrong')).status, 401)
  assert.equal((await ask({ access }, api.adminToken, 's3tokens')).status, 401)
})

test('a published signature of version 4 fits, and one of version 2', () => {
  const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
  const request = {
    verb: 'GET', path: '/', params: { Param1: 'value1', Param2: 'value2' }, body_hash: createHash('sha256').update('').digest('hex'), signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    headers: { Host: 'example.amazonaws.com', 'X-Amz-Date': '20150830T123600Z', Authorization: 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=…' },
  }
  assert.deepEqual(checkSignature(secret, request), { atMs: Date.parse('2015-08-30T12:36:00Z') })
  assert.equal(checkSignature('another', request), undefined)
  assert.equal(checkS3Signature(secret, '!!!', 'x'), undefined)
})

test('lent rights reach no secret that gives more than was lent: passcodes\', and those of keys made without them', async () => {
  const who = await api.inhabitant('manager'), own = await who.token(), secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', project_id = who.projectId, trustee = await api.inhabitant()
  const whole = await ec2Of(who), wholeId = createHash('sha256').update(whole.access).digest('hex')
  const totp = (await make(own, { user_id: who.id, type: 'totp', blob: secret, project_id })).body.credential, cert = (await make(own, { user_id: who.id, type: 'cert', blob: secret, project_id })).body.credential
  const trust = (await v3(own, 'POST', '/OS-TRUST/trusts', { trust: { trustor_user_id: who.id, trustee_user_id: trustee.id, project_id, impersonation: true, roles: [{ name: 'member' }] } })).body.trust
  const lent = { restricted: await appToken(who, { roles: [{ name: 'member' }] }), unrestricted: await appToken(who, { name: 'free', unrestricted: true, roles: [{ name: 'member' }] }), trust: await trustee.token({ 'OS-TRUST:trust': { id: trust.id } }) }
  for (const [how, token] of Object.entries(lent)) {
    assert.equal((await make(token, { user_id: who.id, type: 'totp', blob: secret, project_id })).status, 403, how)
    assert.equal((await v3(token, 'PATCH', `/credentials/${cert.id}`, { credential: { type: 'totp' } })).status, 403, how)
    for (const id of [totp.id, wholeId]) {
      assert.equal((await v3(token, 'GET', `/credentials/${id}`)).status, 403, how)
      assert.equal((await v3(token, 'PATCH', `/credentials/${id}`, { credential: { blob: id === totp.id ? 'MFRGGZDF' : JSON.stringify({ access: whole.access, secret: 'mine now', trust_id: null }) } })).status, 403, how)
    }
    assert.equal((await v3(token, 'DELETE', `/credentials/${totp.id}`)).status, 403, how)
    assert.equal((await v3(token, 'GET', `/users/${who.id}/credentials/OS-EC2/${whole.access}`)).status, 403, how)
    assert.deepEqual((await v3(token, 'GET', `/users/${who.id}/credentials/OS-EC2`)).body.credentials, [], how)
    assert.deepEqual((await v3(token, 'GET', '/credentials')).body.credentials.map((c: any) => c.id), [cert.id], how)
    if (how === 'restricted') continue
    // What was made with them is theirs.
    const made = await ec2Of(who, token)
    assert.equal((await v3(token, 'GET', `/users/${who.id}/credentials/OS-EC2/${made.access}`)).body.credential.secret, made.secret, how)
    assert.equal((await v3(token, 'GET', `/users/${who.id}/credentials/OS-EC2`)).body.credentials.length, 1, how)
    assert.equal((await v3(token, 'DELETE', `/users/${who.id}/credentials/OS-EC2/${made.access}`)).status, 204, how)
  }
  assert.equal((await v3(own, 'GET', `/credentials/${wholeId}`)).status, 200)
})

test('an EC2 credential whose secret is no text signs nothing, and breaks nothing', async () => {
  const who = await api.inhabitant(), own = await who.token()
  for (const [i, secret] of [{ a: 1 }, 7, ['x'], true].entries()) {
    assert.equal((await make(own, { user_id: who.id, type: 'ec2', project_id: who.projectId, blob: JSON.stringify({ access: `odd-${who.id}-${i}`, secret }) })).status, 201)
    assert.equal((await ask({ ...version2({ access: `odd-${who.id}-${i}`, secret: 'x' }) })).status, 401, JSON.stringify(secret))
  }
})
