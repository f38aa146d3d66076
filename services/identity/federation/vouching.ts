// Assertions about this cloud's own users, for clouds that trust it: https://docs.openstack.org/api-ref/identity/v3-ext/#generate-assertions
import { forbidden } from '#base/errors.ts'
import { Reply, type Urls } from '#kit/http/operation.ts'
import { exact, Type } from '#kit/http/schema.ts'
import { anyone } from '#kit/policy/rules.ts'
import { newHexId } from '#base/ids.ts'
import { actorOf, examine } from '../authenticate.ts'
import { operation, type Deps } from '../deps.ts'
import { authenticationRequired } from '../faults.ts'
import { serviceProviders } from './api.ts'
import { membershipsOf } from './keys-store.ts'
import { found } from './named.ts'
import { idpMetadata, inEnvelope, vouchFor } from './saml-idp.ts'
import type { ServiceProviderRow } from './schema.ts'
import { document } from './xml.ts'

const idIn = exact({ id: Type.String({ maxLength: 4096 }) })
const identity = exact({ methods: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 16 })), token: idIn })
const body = exact({ auth: exact({ identity, scope: exact({ service_provider: idIn }) }) })

/** The token in the body is all it takes, as in keystone. */
async function assertion(
  deps: Deps, auth: { identity: { token: { id: string } }, scope: { service_provider: { id: string } } },
  urls: Urls, wrap: (response: string, sp: ServiceProviderRow) => string,
): Promise<Reply> {
  const subject = await examine(deps, auth.identity.token.id)
  if (typeof subject === 'string') throw authenticationRequired(urls.root)
  // The other cloud would let in the user himself: without the end, the roles and the access rules of what was lent, or the certificate that a token is bound to.
  const { delegation, boundTo } = actorOf(subject)
  if (delegation || boundTo !== undefined) throw forbidden('You are not authorized to perform the requested action: A token issued via delegation is not vouched for.')
  const sp = await deps.store.read((tx) => found(serviceProviders, tx, { sp_id: auth.scope.service_provider.id }))
  if (sp.enabled !== 1) throw forbidden(`Service Provider ${sp.id} is disabled`)
  const groups = await deps.store.read((tx) => membershipsOf(tx, subject.claims.userId))
  const response = await vouchFor(subject, groups, sp, urls.api, deps)
  return new Reply({ status: 200, headers: { 'content-type': 'text/xml', 'x-sp-url': encodeURI(sp.spUrl), 'x-auth-url': encodeURI(sp.authUrl) }, body: wrap(response, sp) })
}

export const samlAssertion = operation({
  name: 'createSamlAssertion', method: 'POST', path: '/auth/OS-FEDERATION/saml2', summary: 'Exchange a project\'s token for a SAML assertion.', access: anyone, body,
  faults: ['unauthorized', 'forbidden', 'notFound'],
  handle: (_ctx, { body, urls }, deps) => assertion(deps, body.auth, urls, document),
})
export const ecpAssertion = operation({
  name: 'createEcpAssertion', method: 'POST', path: '/auth/OS-FEDERATION/saml2/ecp', summary: 'Exchange a project\'s token for a SAML assertion in an ECP envelope.',
  access: anyone, body,
  faults: ['unauthorized', 'forbidden'],
  handle: (_ctx, { body, urls }, deps) =>
    assertion(deps, body.auth, urls, (response, sp) => document(inEnvelope(response, sp.relayStatePrefix + newHexId()))),
})
export const samlMetadata = operation({
  name: 'showSamlMetadata', method: 'GET', path: '/OS-FEDERATION/saml2/metadata', summary: 'The metadata by which others check this cloud\'s assertions.', access: anyone,
  handle: async (_ctx, { urls }, deps) => new Reply({ headers: { 'content-type': 'text/xml' }, body: await idpMetadata(deps, urls.api) }),
})
