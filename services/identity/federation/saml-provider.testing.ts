// A SAML2 identity provider for tests: signs what it is told to, and serves clients of the command line (ECP) on the loopback.
import { constants, createCipheriv, generateKeyPairSync, publicEncrypt, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { selfSigned } from './certificate.ts'
import { escaped, namespaces } from './xml.ts'

export interface SamlKey { privateKey: string, certificate: string }
export function newSamlKey(): SamlKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } })
  return { privateKey, certificate: selfSigned(privateKey, 'idp', new Date()) }
}

export interface Vouched {
  entity: string
  name: string
  /** Where the response goes. */
  to: string
  audience?: string
  inResponseTo?: string
  signs?: 'Assertion' | 'Response'
  /** For whose certificate the assertion is encrypted, and how. */
  encrypt?: { certificate: string, content?: keyof typeof ciphers, transport?: 'rsa-oaep-mgf1p' | 'rsa-1_5' }
  /** Changes the assertion once it is signed. */
  bend?(assertion: string): string
  digest?: 'sha1' | 'sha256'
}
const newId = (): string => `_${randomBytes(10).toString('hex')}`

const ciphers = {
  'aes256-gcm': { url: 'http://www.w3.org/2009/xmlenc11#aes256-gcm', key: 32, iv: 12 }, 'aes128-gcm': { url: 'http://www.w3.org/2009/xmlenc11#aes128-gcm', key: 16, iv: 12 }, 'aes256-cbc': { url: 'http://www.w3.org/2001/04/xmlenc#aes256-cbc', key: 32, iv: 16 },
}
function encrypted(text: string, { certificate, content = 'aes256-gcm', transport = 'rsa-oaep-mgf1p' }: NonNullable<Vouched['encrypt']>): string {
  const { url, key: size, iv: ivSize } = ciphers[content], key = randomBytes(size), iv = randomBytes(ivSize), cipher = createCipheriv(content.replace('aes', 'aes-') as 'aes-256-gcm', key, iv)
  const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), ...content.endsWith('gcm') ? [cipher.getAuthTag()] : []])
  const sent = publicEncrypt({ key: certificate, padding: transport === 'rsa-1_5' ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_OAEP_PADDING }, key)
  const value = (bytes: Buffer): string => `<xenc:CipherData><xenc:CipherValue>${bytes.toString('base64')}</xenc:CipherValue></xenc:CipherData>`
  const how = `<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#${transport}">${transport === 'rsa-1_5' ? '' : '<ds:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/>'}</xenc:EncryptionMethod>`
  return `<saml:EncryptedAssertion xmlns:saml="${namespaces.saml}"><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Element"><xenc:EncryptionMethod Algorithm="${url}"/><ds:KeyInfo xmlns:ds="${namespaces.signature}"><xenc:EncryptedKey>${how}${value(sent)}</xenc:EncryptedKey></ds:KeyInfo>${value(sealed)}</xenc:EncryptedData></saml:EncryptedAssertion>`
}

/** The XML of a response with one assertion, good for five minutes. */
export async function vouch({ privateKey, certificate }: SamlKey, { entity, name, to, audience, inResponseTo, signs = 'Assertion', encrypt, bend = (text) => text, digest = 'sha256' }: Vouched): Promise<string> {
  const now = new Date().toISOString(), ends = new Date(Date.now() + 300_000).toISOString(), answers = inResponseTo === undefined ? '' : ` InResponseTo="${escaped(inResponseTo)}"`
  const { signXml } = await import('@node-saml/node-saml/lib/xml.js')
  const sign = (xml: string): string => signXml(xml, '/*', { reference: '/*/*[local-name(.)="Issuer"]', action: 'after' }, { privateKey, publicCert: certificate, signatureAlgorithm: digest, digestAlgorithm: digest })
  const conditions = audience === undefined ? '' : `<saml:Conditions NotOnOrAfter="${ends}"><saml:AudienceRestriction><saml:Audience>${escaped(audience)}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`
  const said = `<saml:Assertion xmlns:saml="${namespaces.saml}" ID="${newId()}" IssueInstant="${now}" Version="2.0"><saml:Issuer>${entity}</saml:Issuer><saml:Subject><saml:NameID>${escaped(name)}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${ends}" Recipient="${escaped(to)}"${answers}/></saml:SubjectConfirmation></saml:Subject>${conditions}</saml:Assertion>`
  const assertion = bend(signs === 'Assertion' ? sign(said) : said)
  const response = `<samlp:Response xmlns:samlp="${namespaces.samlp}" ID="${newId()}" IssueInstant="${now}" Version="2.0" Destination="${escaped(to)}"${answers}><saml:Issuer xmlns:saml="${namespaces.saml}">${entity}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>${encrypt ? encrypted(assertion, encrypt) : assertion}</samlp:Response>`
  return signs === 'Response' ? sign(response) : response
}

export interface EcpProvider extends SamlKey { entity: string, url: string, close(): void }
/** Whoever knows the password `correct` is whom he says. */
export async function startEcpProvider(): Promise<EcpProvider> {
  const key = newSamlKey(), entity = 'https://idp.example/metadata'
  const server = createServer((req, res) => {
    let request = ''
    req.setEncoding('utf8').on('data', (part: string) => { request += part }).on('end', () => void (async () => {
      const [name, password] = Buffer.from(String(req.headers.authorization).replace(/^Basic /, ''), 'base64').toString().split(':')
      const to = /AssertionConsumerServiceURL="([^"]+)"/.exec(request)?.[1], id = /<\S*AuthnRequest[^>]* ID="([^"]+)"/.exec(request)?.[1], asks = /Issuer[^>]*>([^<]+)</.exec(request)?.[1]
      if (password !== 'correct' || !name || !to || !id || !asks) { res.writeHead(401).end(); return }
      const response = await vouch(key, { entity, name, to, inResponseTo: id, audience: asks }), actor = 'S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next"'
      res.writeHead(200, { 'content-type': 'text/xml' })
      res.end(`<S:Envelope xmlns:S="${namespaces.soap}"><S:Header><ecp:Response xmlns:ecp="${namespaces.ecp}" ${actor} AssertionConsumerServiceURL="${to}"/></S:Header><S:Body>${response}</S:Body></S:Envelope>`)
    })())
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return { ...key, entity, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ecp`, close() { server.close(); server.closeAllConnections() } }
}
