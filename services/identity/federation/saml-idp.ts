// This cloud vouching for its own users before another one (keystone to keystone): signed assertions, and the metadata they are checked with.
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { forbidden } from '#base/errors.ts'
import { now } from '#base/time.ts'
import type { Subject } from '../authenticate.ts'
import type { Deps } from '../deps.ts'
import { keepKey, savedKey } from './keys-store.ts'
import { selfSigned } from './certificate.ts'
import { newRequestId } from './saml.ts'
import type { ServiceProviderRow } from './schema.ts'
import { document, instant, keyInfo, markup, namespaces, xml } from './xml.ts'

const lifeMs = 3_600_000
const ownEntityId = (api: string): string => `${api}/OS-FEDERATION/saml2/idp`

/** The cloud's keys: to vouch with, and for what others encrypt for us. Each made when it is asked for first; every control plane has the same. */
export async function samlKey(deps: Deps, keyId: 'saml' | 'saml-sp' = 'saml'): Promise<{ privateKey: string, certificate: string }> {
  let row = await deps.store.read((tx) => savedKey(tx, keyId))
  if (!row) {
    const { privateKey } = await promisify(generateKeyPair)('rsa', {
      modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    const fresh = { id: keyId, sealed: deps.vault.seal(keyId, privateKey), certificate: selfSigned(privateKey, 'pileus', new Date(deps.clock())), createdAt: now() }
    row = await deps.store.tx((tx) => keepKey(tx, fresh), { durable: true })
  }
  return { privateKey: deps.vault.open(keyId, row.sealed) as string, certificate: row.certificate }
}

/** Of this cloud as an identity provider. */
export async function idpMetadata(deps: Deps, api: string): Promise<string> {
  const { certificate } = await samlKey(deps)
  return document(xml`
    <md:EntityDescriptor xmlns:md="${namespaces.metadata}" entityID="${ownEntityId(api)}">
      <md:IDPSSODescriptor protocolSupportEnumeration="${namespaces.samlp}">
        <md:KeyDescriptor use="signing">${markup(keyInfo(certificate))}</md:KeyDescriptor>
        <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>
        <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:URI" Location="${`${api}/OS-FEDERATION/saml2/sso`}"/>
      </md:IDPSSODescriptor>
    </md:EntityDescriptor>`)
}

const attribute = (name: string, values: string[]): string => {
  if (values.length === 0) return ''
  const written = values.map((value) => xml`
    <saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">${value}</saml:AttributeValue>`)
  return xml`
    <saml:Attribute Name="${name}" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic">${markup(written.join(''))}</saml:Attribute>`
}

/** A group the user is in, with its domain's name. */
export interface Membership { name: string, domainName: string }

/** A signed response about the holder of a project's token, for one service provider. */
export async function vouchFor({ standing, claims }: Subject, groups: Membership[], provider: ServiceProviderRow, api: string, deps: Deps): Promise<string> {
  if (claims.scope.kind !== 'project') {
    throw forbidden('You are not authorized to perform the requested action: Use a project scoped token when attempting to create a SAML assertion.')
  }
  const { user, scope, roles } = standing
  const nowMs = deps.clock(), ends = instant(nowMs + lifeMs)
  const issuer = ownEntityId(api)
  const attributes = markup([
    attribute('openstack_user', [user.name]), attribute('openstack_roles', roles.map((r) => r.name)), attribute('openstack_project', [scope!.name]),
    attribute('openstack_project_domain', [scope!.domainName]), attribute('openstack_user_domain', [user.domainName]),
    attribute('openstack_groups', groups.map((g) => `JSON:${JSON.stringify({ name: g.name, domain: { name: g.domainName } })}`)),
  ].join(''))
  const assertion = xml`
    <saml:Assertion xmlns:saml="${namespaces.saml}" ID="${newRequestId()}" IssueInstant="${instant(nowMs)}" Version="2.0">
      <saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">${issuer}</saml:Issuer>
      <saml:Subject>
        <saml:NameID>${user.name}</saml:NameID>
        <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
          <saml:SubjectConfirmationData NotOnOrAfter="${ends}" Recipient="${provider.spUrl}"/>
        </saml:SubjectConfirmation>
      </saml:Subject>
      <saml:AuthnStatement AuthnInstant="${instant(nowMs)}" SessionIndex="${newRequestId()}" SessionNotOnOrAfter="${ends}">
        <saml:AuthnContext>
          <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>
          <saml:AuthenticatingAuthority>${issuer}</saml:AuthenticatingAuthority>
        </saml:AuthnContext>
      </saml:AuthnStatement>
      <saml:AttributeStatement>${attributes}</saml:AttributeStatement>
    </saml:Assertion>`
  const { signXml } = await import('@node-saml/node-saml/lib/xml.js')
  const { privateKey, certificate } = await samlKey(deps)
  const behindIssuer = { reference: '/*[local-name(.)="Assertion"]/*[local-name(.)="Issuer"]', action: 'after' } as const
  const key = { privateKey, publicCert: certificate, signatureAlgorithm: 'sha256', digestAlgorithm: 'sha256' } as const
  const signed = signXml(assertion, '/*[local-name(.)="Assertion"]', behindIssuer, key)
  return xml`
    <samlp:Response xmlns:samlp="${namespaces.samlp}" Destination="${provider.spUrl}" ID="${newRequestId()}" IssueInstant="${instant(nowMs)}" Version="2.0">
      <saml:Issuer xmlns:saml="${namespaces.saml}" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">${issuer}</saml:Issuer>
      <samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
      ${markup(signed)}
    </samlp:Response>`
}

/** The response in an envelope, as clients carry it to the other cloud. */
export const inEnvelope = (response: string, relayState: string): string => xml`
  <S:Envelope xmlns:S="${namespaces.soap}">
    <S:Header>
      <ecp:RelayState xmlns:ecp="${namespaces.ecp}" S:actor="http://schemas.xmlsoap.org/soap/actor/next" S:mustUnderstand="1">${relayState}</ecp:RelayState>
    </S:Header>
    <S:Body>${markup(response)}</S:Body>
  </S:Envelope>`
