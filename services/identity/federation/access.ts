import { freshUser } from '../users/access.ts'
import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { scoped, verdicts } from '../testing/verdicts.ts'

const rules = [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'REMOTE_USER' }] }]
const provider = (w: AccessWorld) => ({ params: { idp_id: w.unique('idp') }, body: { identity_provider: { enabled: true } } })
const mapping = (w: AccessWorld) => ({ params: { mapping_id: w.unique('mapping') }, body: { mapping: { rules } } })
const serviceProvider = (w: AccessWorld) => ({
  params: { sp_id: w.unique('sp') },
  body: { service_provider: { auth_url: 'https://there.example/v3', sp_url: 'https://there.example/sp' } },
})
const protocol = async (w: AccessWorld) => {
  const idp = provider(w), rules = mapping(w)
  await w.call('admin', 'identity', 'createIdentityProvider', idp)
  await w.call('admin', 'identity', 'createMapping', rules)
  return { params: { ...idp.params, protocol_id: 'openid' }, body: { protocol: { mapping_id: rules.params.mapping_id } } }
}

type Parts = { params: Record<string, string>, body: Record<string, object> }
/** Five operations of one noun. */
const five = (name: string, names: string, fresh: (w: AccessWorld) => Parts | Promise<Parts>, change?: object): AccessCase[] => {
  const standing = async (w: AccessWorld, body?: boolean) => {
    const made = await fresh(w), [[key, value]] = Object.entries(made.body) as [[string, object]]
    await w.call('admin', 'identity', `create${name}`, made)
    return { params: made.params, ...(body && { body: { [key]: change ?? value } }) }
  }
  return [
    { operation: `list${names}`, request: standing, expect: verdicts.systemReader() },
    { operation: `show${name}`, request: standing, expect: verdicts.systemReader() },
    { operation: `create${name}`, request: fresh, expect: verdicts.admin(201) },
    { operation: `update${name}`, request: (w) => standing(w, true), expect: verdicts.admin() },
    { operation: `delete${name}`, request: standing, expect: verdicts.admin(204) },
  ]
}

const openid = { kind: 'oidc', issuer: 'https://there.example', client_id: 'pileus', client_secret: 'secret' }
const standing = async (w: AccessWorld) => {
  const made = await protocol(w)
  await w.call('admin', 'identity', 'createFederationProtocol', made)
  return { params: made.params }
}
const asked = async (w: AccessWorld) => {
  const { params } = await standing(w)
  await w.call('admin', 'identity', 'setRelyingParty', { params, body: { relying_party: openid } })
  return { params }
}
/** With the cloud's own certificate: any will do. */
const samlAsked = async (w: AccessWorld) => {
  const made = await standing(w)
  const certificate = /X509Certificate>([^<]+)</.exec(String((await w.call('admin', 'identity', 'showSamlMetadata')).body))![1]!
  await w.call('admin', 'identity', 'setRelyingParty', { ...made, body: { relying_party: { kind: 'saml2', entity_id: 'https://there.example', certificates: [certificate] } } })
  return made
}
const elsewhere = async (w: AccessWorld) => ({ ...await asked(w), query: { origin: 'https://untrusted.example' } })
const vouched = async (w: AccessWorld) => {
  const sp = serviceProvider(w), { id, password } = await freshUser(w)
  await w.call('admin', 'identity', 'createServiceProvider', { ...sp, body: { service_provider: { ...sp.body.service_provider, enabled: true } } })
  const [role] = (await w.call('admin', 'identity', 'listRoles', { query: { name: 'member' } })).body.roles
  await w.call('admin', 'identity', 'createProjectUserGrant', { params: { project_id: w.projectId, user_id: id, role_id: role.id } })
  const auth = { identity: { methods: ['password'], password: { user: { id, password } } }, scope: { project: { id: w.projectId } } }
  const token = String((await w.call('admin', 'identity', 'issueToken', { body: { auth } })).headers['x-subject-token'])
  return { body: { auth: { identity: { methods: ['token'], token: { id: token } }, scope: { service_provider: { id: sp.params.sp_id } } } } }
}

const nobodyIsLetIn = { ...verdicts.everybody(401), ...scoped.all(401) }
export const access: AccessCase[] = [
  { operation: 'setRelyingParty', request: async (w) => ({ ...await standing(w), body: { relying_party: openid } }), expect: verdicts.admin() },
  { operation: 'showRelyingParty', request: asked, expect: verdicts.systemReader() },
  { operation: 'removeRelyingParty', request: asked, expect: verdicts.admin(204) },
  // Nobody is let in by a cloud's token here: what counts is a provider's word.
  ...['authenticateFederated', 'authenticateFederatedPosted'].map((operation): AccessCase => ({ operation, request: asked, expect: nobodyIsLetIn })),
  ...['webssoOfProvider', 'webssoOfProviderPosted', 'webssoOfProtocol', 'webssoOfProtocolPosted']
    .map((operation): AccessCase => ({ operation, request: elsewhere, expect: nobodyIsLetIn })),
  { operation: 'showRelyingPartyMetadata', request: samlAsked, expect: verdicts.everybody() },
  { operation: 'createSamlAssertion', request: vouched, expect: verdicts.everybody() },
  { operation: 'createEcpAssertion', request: vouched, expect: verdicts.everybody() },
  { operation: 'listFederatedProjects', expect: verdicts.authenticated() },
  { operation: 'listFederatedDomains', expect: verdicts.authenticated() },
  { operation: 'showSamlMetadata', expect: verdicts.everybody() },
  ...five('IdentityProvider', 'IdentityProviders', provider, { description: 'x' }),
  ...five('FederationProtocol', 'FederationProtocols', protocol),
  ...five('Mapping', 'Mappings', mapping),
  ...five('ServiceProvider', 'ServiceProviders', serviceProvider, { enabled: true }),
]
