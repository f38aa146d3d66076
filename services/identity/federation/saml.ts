// SAML2: this cloud as a service provider. Requests are ours to write; responses are believed as far as a known key signed them.
import { createHash, randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import type { Said } from './login.ts'
import { demandsSignedResponse, hasEncrypted, opened, withoutTransportDigests } from './encrypted.ts'
import { Unmapped } from './rules.ts'
import type { Saml2Settings } from './settings.ts'
import { document, instant, keyInfo, markup, namespaces, safeXml, xml } from './xml.ts'

/** An id for a request, a response or an assertion: XML wants a letter or `_` first. */
export const newRequestId = (): string => `_${randomBytes(20).toString('hex')}`

/** Asks a provider who somebody is. `destination`: where it goes; `paos`: by a client that carries it itself. */
export function authnRequest(
  id: string,
  { entityId, consumerUrl, destination, paos }: { entityId: string, consumerUrl: string, destination?: string, paos?: boolean },
  nowMs: number,
): string {
  const binding = `urn:oasis:names:tc:SAML:2.0:bindings:${paos ? 'PAOS' : 'HTTP-POST'}`
  const to = markup(destination ? xml` Destination="${destination}"` : '')
  const answer = markup(xml`ProtocolBinding="${binding}" AssertionConsumerServiceURL="${consumerUrl}"`)
  return xml`
    <samlp:AuthnRequest xmlns:samlp="${namespaces.samlp}" ID="${id}" Version="2.0" IssueInstant="${instant(nowMs)}"${to} ${answer}>
      <saml:Issuer xmlns:saml="${namespaces.saml}">${entityId}</saml:Issuer>
      <samlp:NameIDPolicy AllowCreate="true"/>
    </samlp:AuthnRequest>`
}

/** Where a browser goes with a request: the redirect binding. */
export function redirectWith(request: string, ssoUrl: string, relayState: string): string {
  const to = new URL(ssoUrl)
  to.searchParams.set('SAMLRequest', deflateRawSync(Buffer.from(request)).toString('base64'))
  to.searchParams.set('RelayState', relayState)
  return to.href
}

/** Of this cloud as a service provider. */
export const spMetadata = ({ entityId, browsers, clients, certificate }: { entityId: string, browsers: string, clients: string, certificate: string }): string => {
  const consumers = [['HTTP-POST', browsers], ['HTTP-POST', clients], ['PAOS', clients]].map(([binding, to], i) => xml`
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:${binding!}" Location="${to!}" index="${String(i)}"/>`)
  return document(xml`
    <md:EntityDescriptor xmlns:md="${namespaces.metadata}" entityID="${entityId}">
      <md:SPSSODescriptor protocolSupportEnumeration="${namespaces.samlp}" AuthnRequestsSigned="false">
        <md:KeyDescriptor use="encryption">
          ${markup(keyInfo(certificate))}
          <md:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes256-gcm"/>
          <md:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes128-gcm"/>
          <md:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"/>
        </md:KeyDescriptor>
        ${markup(consumers.join(''))}
      </md:SPSSODescriptor>
    </md:EntityDescriptor>`)
}

/** The request in an envelope, for clients that go to the provider themselves. */
export const ecpRequest = (request: string, consumerUrl: string, entityId: string, relayState: string): string => {
  const actor = markup(xml`S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next"`)
  return xml`
    <S:Envelope xmlns:S="${namespaces.soap}">
      <S:Header>
        <paos:Request xmlns:paos="${namespaces.paos}" ${actor} responseConsumerURL="${consumerUrl}" service="${namespaces.ecp}"/>
        <ecp:Request xmlns:ecp="${namespaces.ecp}" ${actor} IsPassive="0">
          <saml:Issuer xmlns:saml="${namespaces.saml}">${entityId}</saml:Issuer>
        </ecp:Request>
        <ecp:RelayState xmlns:ecp="${namespaces.ecp}" ${actor}>${relayState}</ecp:RelayState>
      </S:Header>
      <S:Body>${markup(request)}</S:Body>
    </S:Envelope>`
}

/** The response in an envelope, and what it was sent back with. */
export async function openEnvelope(bytes: Uint8Array): Promise<{ response: string, relayState: string | undefined }> {
  const { parseDomFromString, xpath } = await import('@node-saml/node-saml/lib/xml.js')
  const text = safeXml(bytes)
  const all = async (): Promise<{ responses: Found[], states: Found[] }> => {
    const document = await parseDomFromString(text)
    const at = (...steps: [string, string][]): Found[] =>
      xpath.selectElements(document as never, steps.map(([space, name]) => `/*[local-name(.)='${name}' and namespace-uri(.)='${space}']`).join('')) as unknown as Found[]
    return {
      responses: at([namespaces.soap, 'Envelope'], [namespaces.soap, 'Body'], [namespaces.samlp, 'Response']),
      states: at([namespaces.soap, 'Envelope'], [namespaces.soap, 'Header'], [namespaces.ecp, 'RelayState']),
    }
  }
  const { responses, states } = await all().catch(() => { throw new Unmapped('an envelope that is no XML') })
  if (responses.length !== 1 || states.length > 1) throw new Unmapped('an envelope without exactly one response')
  return { response: String(responses[0]), relayState: states[0]?.textContent ?? undefined }
}

/** What must be true of a response before it is believed. */
export interface Expected {
  entityId: string
  /** Where the response came to: it must have been meant for here. */
  consumerUrl: string
  /** The request it answers; undefined when nobody here asked. */
  requestId: string | undefined
  /** Opens what was encrypted for us: asked for when something was. */
  key(): Promise<string>
}
interface Found { textContent: string | null }

/** What it said. */
export interface Believed extends Said {
  /** What tells this assertion from all others, and until when it could be shown again. */
  replay: { id: string, expiresAtSeconds: number }
}

const skewMs = 60_000, maxCharacters = 65_536
type Parsed = any

/** Whoever can find two documents with one SHA-1 sum chooses what was signed. */
function refuseWeak(text: string): void {
  if (/xmldsig#(rsa-|hmac-|dsa-)?sha1\b|xmldsig-more#(rsa-)?md5/.test(text)) throw new Unmapped('a signature by SHA-1 or MD5')
}

/** What a response says, when a key of the provider signed it and it is meant for us, now. Throws Unmapped. The caller sees to its being used once. */
export async function believe(response: Uint8Array, settings: Saml2Settings, expected: Expected, nowMs: number): Promise<Believed> {
  const text = safeXml(response), encrypted = hasEncrypted(text)
  const cbc = encrypted && demandsSignedResponse(text), decryptionPvk = encrypted ? await expected.key() : undefined
  refuseWeak(withoutTransportDigests(text))
  const { SAML, ValidateInResponseTo } = await import('@node-saml/node-saml')
  const checker = new SAML({
    idpCert: settings.certificates, issuer: expected.entityId, callbackUrl: expected.consumerUrl, entryPoint: settings.sso_url ?? expected.consumerUrl,
    // One signature, over the response or its assertion, is demanded by the library; time is measured below.
    ...(decryptionPvk !== undefined && { decryptionPvk }), audience: false, wantAssertionsSigned: false,
    wantAuthnResponseSigned: cbc, validateInResponseTo: ValidateInResponseTo.never, acceptedClockSkewMs: -1,
  })
  let assertion: Parsed
  try {
    if (decryptionPvk !== undefined && !cbc) refuseWeak(await opened(text, decryptionPvk))
    const { profile } = await checker.validatePostResponseAsync({ SAMLResponse: Buffer.from(text).toString('base64') })
    assertion = (profile?.getAssertion?.() as Parsed)?.Assertion
  } catch (error) { throw new Unmapped(`the response was refused: ${(error as Error).message.slice(0, 300)}`) }
  if (!assertion) throw new Unmapped('a response without an assertion')
  return read(assertion, settings, expected, nowMs)
}

const list = (value: unknown): Parsed[] => (Array.isArray(value) ? value : [])
const textOf = (value: Parsed): string | undefined => (typeof value === 'string' ? value : typeof value?._ === 'string' ? value._ : undefined)
const timeOf = (text: unknown): number => (typeof text === 'string' ? Date.parse(text) : NaN)

function read(assertion: Parsed, settings: Saml2Settings, expected: Expected, nowMs: number): Believed {
  const issuer = textOf(list(assertion.Issuer)[0])?.trim()
  if (issuer !== settings.entity_id) throw new Unmapped('an assertion of another issuer')
  const id = assertion.$?.ID
  if (typeof id !== 'string' || id === '') throw new Unmapped('an assertion without an id')
  const conditions = list(assertion.Conditions)
  if (conditions.length > 1) throw new Unmapped('an assertion with several conditions')
  const within = (part: Parsed): boolean => !(timeOf(part?.NotBefore) > nowMs + skewMs) && !(timeOf(part?.NotOnOrAfter) <= nowMs - skewMs)
  if (conditions[0] && !within(conditions[0].$)) throw new Unmapped('an assertion outside its time')
  const restrictions = list(conditions[0]?.AudienceRestriction)
  if (!restrictions.every((r) => list(r.Audience).some((a) => textOf(a)?.trim() === expected.entityId))) throw new Unmapped('an assertion for another audience')
  // keystone as a provider names no audience, but the place: enough for those who were told to take what nobody asked for.
  if (restrictions.length === 0 && !settings.allow_unsolicited) throw new Unmapped('an assertion for no audience')

  const subject = list(assertion.Subject)[0]
  const confirmation = list(subject?.SubjectConfirmation).filter((c) => c.$?.Method === 'urn:oasis:names:tc:SAML:2.0:cm:bearer').map((c) => list(c.SubjectConfirmationData)[0]?.$)
    .find((data) => data?.Recipient === expected.consumerUrl && timeOf(data.NotOnOrAfter) > nowMs - skewMs && within(data)
      && (data.InResponseTo === undefined ? settings.allow_unsolicited === true : data.InResponseTo === expected.requestId))
  if (!confirmation) throw new Unmapped('an assertion that is late, for another place or the answer to another request')

  const attributes = new Map<string, string[]>()
  let size = 0
  for (const attribute of list(assertion.AttributeStatement).flatMap((s) => list(s.Attribute))) {
    const values = list(attribute.AttributeValue).map(textOf).filter((v): v is string => v !== undefined && v !== '')
    for (const name of new Set([attribute.$?.Name, attribute.$?.FriendlyName])) {
      if (typeof name !== 'string' || name === '' || values.length === 0) continue
      size += name.length + values.reduce((sum, v) => sum + v.length, 0)
      if (size > maxCharacters) throw new Unmapped('the provider says too much')
      for (const known of [name, `MELLON_${name}`]) attributes.set(known, [...attributes.get(known) ?? [], ...values])
    }
  }
  // After the others: nobody chooses them by naming an attribute so.
  const nameId = textOf(list(subject.NameID)[0])?.trim()
  for (const known of ['REMOTE_USER', 'MELLON_NAME_ID']) { attributes.delete(known); if (nameId) attributes.set(known, [nameId]) }
  for (const known of ['MELLON_IDP', 'Shib-Identity-Provider']) attributes.set(known, [issuer])
  const ends = list(assertion.AuthnStatement).map((s) => timeOf(s.$?.SessionNotOnOrAfter)).filter((at) => at > nowMs)
  return {
    issuer, attributes, ...(ends.length > 0 && { endsAtSeconds: Math.floor(Math.min(...ends) / 1000) }),
    replay: { id: createHash('sha256').update(JSON.stringify([issuer, id])).digest('hex'), expiresAtSeconds: Math.ceil((timeOf(confirmation.NotOnOrAfter) + skewMs) / 1000) },
  }
}
