// SAML2 both ways: this cloud vouches for its users (keystone to keystone), and believes what a provider signed, once, for itself, in time.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import { after, before, beforeEach, test } from 'node:test'
import { startIdentity, type IdentityApi } from '../testing.ts'
import { samlKey } from './saml-idp.ts'
import { safeXml } from './xml.ts'

let api: IdentityApi, key: { privateKey: string, certificate: string }, nowMs: number
const provider = 'https://idp.example/metadata', dashboard = 'https://dashboard.example/auth/websso/'
const base = () => `${api.publicUrl}/identity/v3`, path = '/OS-FEDERATION/identity_providers/acme/protocols/saml2', door = () => `${base()}${path}/auth`, entityId = () => `${base()}/OS-FEDERATION/saml2/sp`
const relyingParty = (over: object = {}) => api.admin('setRelyingParty', {
  params: { idp_id: 'acme', protocol_id: 'saml2' },
  body: { relying_party: { kind: 'saml2', entity_id: provider, sso_url: 'https://idp.example/sso', certificates: [key.certificate], allow_unsolicited: true, trusted_dashboards: [dashboard], ...over } },
})

before(async () => {
  nowMs = Date.now()
  api = await startIdentity({ quiet: true, clock: () => nowMs })
  key = await samlKey(api.deps)
  await api.admin('createIdentityProvider', { params: { idp_id: 'acme' }, body: { identity_provider: { enabled: true } } })
  await api.admin('createMapping', { params: { mapping_id: 'saml' }, body: { mapping: { schema_version: '2.0', rules: [
    { local: [{ user: { name: '{0}', email: '{1}' } }], remote: [{ type: 'MELLON_NAME_ID' }, { type: 'mail' }] },
    { local: [{ domain: { id: 'default' }, projects: [{ name: 'lab of {0}', roles: [{ name: 'member' }] }] }], remote: [{ type: 'MELLON_NAME_ID' }, { type: 'MELLON_title', any_one_of: ['researcher'] }] },
    { local: [{ user: { name: '{0}' } }], remote: [{ type: 'openstack_user' }] },
  ] } } })
  await api.admin('createFederationProtocol', { params: { idp_id: 'acme', protocol_id: 'saml2' }, body: { protocol: { mapping_id: 'saml' } } })
})
after(() => api.close())
beforeEach(() => relyingParty())

let ids = 0
const at = (offsetMs: number): string => new Date(nowMs + offsetMs).toISOString()
interface Parts { recipient?: string, issuer?: string, audience?: string | null, until?: number, from?: number, inResponseTo?: string, id?: string, name?: string, attributes?: Record<string, string[]>, extra?: string }
const assertionXml = (p: Parts = {}): string => `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${p.id ?? `_a${++ids}`}" IssueInstant="${at(0)}" Version="2.0"><saml:Issuer>${p.issuer ?? provider}</saml:Issuer><saml:Subject><saml:NameID>${p.name ?? 'alice'}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${at(p.until ?? 300_000)}" Recipient="${p.recipient ?? door()}"${p.inResponseTo ? ` InResponseTo="${p.inResponseTo}"` : ''}/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${at(p.from ?? -1000)}" NotOnOrAfter="${at(p.until ?? 300_000)}">${p.audience === null ? '' : `<saml:AudienceRestriction><saml:Audience>${p.audience ?? entityId()}</saml:Audience></saml:AudienceRestriction>`}</saml:Conditions><saml:AttributeStatement>${Object.entries(p.attributes ?? { mail: ['alice@there.example'] }).map(([name, values]) => `<saml:Attribute Name="${name}">${values.map((v) => `<saml:AttributeValue>${v}</saml:AttributeValue>`).join('')}</saml:Attribute>`).join('')}</saml:AttributeStatement></saml:Assertion>`
const responseXml = (inner: string, id = `_r${++ids}`): string => `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="${id}" IssueInstant="${at(0)}" Version="2.0"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${provider}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>${inner}</samlp:Response>`
async function signed(xml: string, element: 'Assertion' | 'Response' = 'Assertion', over: object = {}): Promise<string> {
  const { signXml } = await import('@node-saml/node-saml/lib/xml.js')
  const where = `/*[local-name(.)="${element}"]`
  return signXml(xml, where, { reference: `${where}/*[local-name(.)="Issuer"]`, action: 'after' }, { privateKey: key.privateKey, publicCert: key.certificate, signatureAlgorithm: 'sha256', digestAlgorithm: 'sha256', ...over })
}
const post = (xml: string, to = `/identity/v3${path}/auth`, headers: Record<string, string> = {}) =>
  api.http('POST', to, { headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: new URLSearchParams({ SAMLResponse: Buffer.from(xml).toString('base64') }).toString() })
const good = async (parts: Parts = {}) => responseXml(await signed(assertionXml(parts)))

test('the cloud\'s own certificate is one', () => {
  const certificate = new X509Certificate(key.certificate)
  assert.ok(certificate.verify(certificate.publicKey) && certificate.checkIssued(certificate))
  assert.ok(Date.parse(certificate.validTo) > Date.now())
})

test('a signed assertion, or a signed response, lets in whom it is about, with a project of his own', async () => {
  for (const xml of [await good({ attributes: { mail: ['alice@there.example'], title: ['researcher'] } }), await signed(responseXml(assertionXml()), 'Response')]) {
    const reply = await post(xml)
    assert.equal(reply.status, 201, JSON.stringify(reply.body))
    assert.equal(reply.body.token.user.name, 'alice')
  }
  const token = (await post(await good())).headers.get('x-subject-token')!
  const projects = (await api.http('GET', '/identity/v3/auth/projects', { token })).body.projects
  assert.deepEqual(projects.map((p: any) => [p.name, p.domain_id]), [['lab of alice', 'default']])
  assert.equal((await api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['saml2'], saml2: { id: token } }, scope: { project: { id: projects[0].id } } } } })).status, 201)
})

test('what is late, early, for others, of others, or shown before is refused', async () => {
  const once = await good()
  assert.deepEqual([(await post(once)).status, (await post(once)).status], [201, 401], 'once')
  const refused: Record<string, Parts> = {
    late: { until: -120_000 }, early: { from: 120_000 }, 'another audience': { audience: 'https://another.example' }, 'another place': { recipient: 'https://another.example' },
    'another issuer': { issuer: 'https://another.example' }, 'the answer to a request nobody made': { inResponseTo: '_other' }, 'the name of an attribute that is not his to set': { name: '', attributes: { MELLON_NAME_ID: ['admin'], mail: ['x'] } },
  }
  for (const [why, parts] of Object.entries(refused)) assert.equal((await post(await good(parts))).status, 401, why)
  await relyingParty({ allow_unsolicited: false })
  assert.equal((await post(await good())).status, 401, 'nobody asked')
})

test('signatures: none, by another key, of another document, by SHA-1', async () => {
  const other = await (await import('node:util')).promisify((await import('node:crypto')).generateKeyPair)('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } })
  const whole = await good()
  const cases: Record<string, string> = {
    none: responseXml(assertionXml()), 'by another key': responseXml(await signed(assertionXml(), 'Assertion', { privateKey: other.privateKey })), 'a name that was changed': whole.replace('>alice<', '>admin<'),
    'SHA-1': responseXml(await signed(assertionXml(), 'Assertion', { signatureAlgorithm: 'sha1', digestAlgorithm: 'sha1' })), 'no response': '<x/>', 'no XML': 'nonsense',
  }
  for (const [why, xml] of Object.entries(cases)) assert.equal((await post(xml)).status, 401, why)
})

test('signature wrapping: whatever is put around or beside what was signed, nobody else comes in', async () => {
  const genuine = await signed(assertionXml({ id: '_genuine' })), evil = assertionXml({ id: '_evil', name: 'admin' }), evilSame = assertionXml({ id: '_genuine', name: 'admin' })
  const signature = /<(?:ds:)?Signature[\s\S]*<\/(?:ds:)?Signature>/.exec(genuine)![0]
  const shapes: Record<string, string> = {
    'beside, before': responseXml(evil + genuine), 'beside, after': responseXml(genuine + evil), 'with the same id': responseXml(evilSame + genuine),
    'the signature moved over': responseXml(evil.replace('</saml:Issuer>', `</saml:Issuer>${signature}`)),
    'inside an extension': responseXml(`<samlp:Extensions>${genuine}</samlp:Extensions>${evil}`),
    'inside the evil one': responseXml(evil.replace('</saml:Assertion>', `<saml:Advice>${genuine}</saml:Advice></saml:Assertion>`)),
    'inside the signature\'s object': responseXml(evil.replace('</saml:Issuer>', `</saml:Issuer>${signature.replace(/<\/((?:ds:)?)Signature>$/, `<$1Object>${genuine.replaceAll('$', '$$$$')}</$1Object></$1Signature>`)}`)),
    'around the response': `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_outer" Version="2.0">${evil}${responseXml(genuine)}</samlp:Response>`,
    'a comment within the name': responseXml((await signed(assertionXml({ name: 'admin.evil' }))).replace('admin.evil', 'admin<!-- -->.evil')),
  }
  for (const [why, xml] of Object.entries(shapes)) {
    const reply = await post(xml)
    assert.notEqual(reply.body?.token?.user?.name, 'admin', why)
    if (why !== 'a comment within the name') assert.equal(reply.status, 401, why)
  }
})

test('documents that would harm their reader are refused unread', async () => {
  const whole = await good()
  for (const xml of [`<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${whole}`, `<!DOCTYPE r SYSTEM "file:///etc/passwd">${whole}`, `<?xml-stylesheet href="x"?>${whole}`, '<a>'.repeat(50_000), '<a'.repeat(100_000), responseXml('<x>'.repeat(80) + '</x>'.repeat(80))]) {
    assert.equal((await post(xml)).status, 401, xml.slice(0, 60))
  }
  assert.equal((await post('x'.repeat(300_000))).status, 401)
  assert.equal((await post('x'.repeat(600_000))).status, 413)
  assert.throws(() => safeXml(Buffer.from([0xff, 0xfe, 0x3c, 0x00])), /UTF-8/)
})

test('clients that go to the provider themselves (ECP)', async () => {
  await relyingParty({ allow_unsolicited: false })
  assert.equal((await api.http('GET', `/identity/v3${path}/auth`)).status, 401)
  const asked = await api.http('GET', `/identity/v3${path}/auth`, { headers: { accept: '*/*,application/vnd.paos+xml', paos: 'ver="urn:liberty:paos:2003-08";"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"' } })
  assert.deepEqual([asked.status, asked.headers.get('content-type')], [200, 'application/vnd.paos+xml'])
  const envelope = asked.bytes.toString(), id = /AuthnRequest[^>]* ID="([^"]+)"/.exec(envelope)![1]!, relay = /<ecp:RelayState[^>]*>[^<]+<\/ecp:RelayState>/.exec(envelope)![0]
  assert.ok(envelope.includes(`responseConsumerURL="${door()}"`))
  const answer = async (header: string) => `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header>${header}</S:Header><S:Body>${await good({ inResponseTo: id })}</S:Body></S:Envelope>`
  const send = (body: string) => api.http('POST', `/identity/v3${path}/auth`, { body, headers: { 'content-type': 'application/vnd.paos+xml' } })
  assert.equal((await send(await answer(''))).status, 401, 'nobody knows that it was asked for')
  assert.equal((await send(await answer(relay.replace(/>[^<]+</, '>forged<')))).status, 401)
  const reply = await send(await answer(relay))
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  assert.equal((await send('<S:Envelope')).status, 401)
})

test('a browser: to the provider with a request, back with its answer', async () => {
  const websso = `/identity/v3/auth${path}/websso`
  const start = await api.http('GET', `${websso}?origin=${encodeURIComponent(dashboard)}`)
  assert.equal(start.status, 302)
  const to = new URL(start.headers.get('location')!), cookie = start.headers.get('set-cookie')!.split(';')[0]!
  assert.equal(to.origin + to.pathname, 'https://idp.example/sso')
  const request = inflateRawSync(Buffer.from(to.searchParams.get('SAMLRequest')!, 'base64')).toString()
  const id = / ID="([^"]+)"/.exec(request)![1]!, recipient = `${base()}/auth${path}/websso`
  assert.ok(request.includes(`AssertionConsumerServiceURL="${recipient}"`))
  assert.equal((await post(await good({ recipient, inResponseTo: id }), websso)).status, 401, 'another browser')
  const reply = await post(await good({ recipient, inResponseTo: id }), websso, { cookie })
  assert.equal(reply.status, 200)
  assert.match(reply.bytes.toString(), /<form id="sso"[^>]*action="https:\/\/dashboard\.example\/auth\/websso\/"/)
})

test('keystone to keystone: an assertion of this cloud opens the other', async () => {
  const someone = await api.inhabitant(), token = await someone.token()
  const idp = `${base()}/OS-FEDERATION/saml2/idp`
  await relyingParty({ entity_id: idp })
  await api.admin('createServiceProvider', { params: { sp_id: 'there' }, body: { service_provider: { enabled: true, auth_url: door(), sp_url: door(), description: 'the other cloud' } } })
  const catalogued = await api.http('GET', '/identity/v3/auth/tokens', { token, headers: { 'x-subject-token': token } })
  assert.deepEqual(catalogued.body.token.service_providers, [{ id: 'there', auth_url: door(), sp_url: door() }])
  const body = { auth: { identity: { methods: ['token'], token: { id: token } }, scope: { service_provider: { id: 'there' } } } }
  const plain = await api.http('POST', '/identity/v3/auth/OS-FEDERATION/saml2', { body })
  assert.deepEqual([plain.status, plain.headers.get('content-type'), plain.headers.get('x-sp-url')], [200, 'text/xml', door()])
  assert.ok(plain.bytes.toString().includes(`>${someone.name}<`))
  const ecp = await api.http('POST', '/identity/v3/auth/OS-FEDERATION/saml2/ecp', { body })
  assert.match(ecp.bytes.toString(), /RelayState[^>]*>ss:mem:/)
  const reply = await api.http('POST', `/identity/v3${path}/auth`, { body: ecp.bytes, headers: { 'content-type': 'application/vnd.paos+xml' } })
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  assert.equal(reply.body.token.user.name, someone.name)
  const metadata = (await api.http('GET', '/identity/v3/OS-FEDERATION/saml2/metadata')).bytes.toString()
  assert.ok(metadata.includes(`entityID="${idp}"`) && metadata.includes(key.certificate.split('\n')[1]!))
  const unscoped = await someone.token('unscoped')
  assert.equal((await api.http('POST', '/identity/v3/auth/OS-FEDERATION/saml2', { body: { auth: { ...body.auth, identity: { token: { id: unscoped } } } } })).status, 403)
  // What was lent here would come back from there as the whole user.
  const trustee = await api.inhabitant(), post = (at: string, more: object) => api.http('POST', `/identity/v3${at}`, { token, body: more })
  const { application_credential: app } = (await post(`/users/${someone.id}/application_credentials`, { application_credential: { name: 'app', access_rules: [{ service: 'compute', method: 'GET', path: '/v2.1/servers' }] } })).body
  const { trust } = (await post('/OS-TRUST/trusts', { trust: { trustor_user_id: someone.id, trustee_user_id: trustee.id, project_id: someone.projectId, impersonation: true, roles: [{ name: 'reader' }] } })).body
  const byApp = (await post('/auth/tokens', { auth: { identity: { methods: ['application_credential'], application_credential: { id: app.id, secret: app.secret } } } })).headers.get('x-subject-token')!
  for (const lent of [byApp, await trustee.token({ 'OS-TRUST:trust': { id: trust.id } })]) {
    for (const at of ['', '/ecp']) assert.equal((await post(`/auth/OS-FEDERATION/saml2${at}`, { auth: { ...body.auth, identity: { token: { id: lent } } } })).status, 403)
  }
  await api.admin('updateServiceProvider', { params: { sp_id: 'there' }, body: { service_provider: { enabled: false } } })
  assert.equal((await api.http('POST', '/identity/v3/auth/OS-FEDERATION/saml2', { body })).status, 403)
})
