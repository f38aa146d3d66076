// A SAML2 identity provider for tests: signs what it is told to, and serves clients of the command line (ECP) on the loopback.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { selfSigned } from './certificate.ts'
import { escaped, namespaces } from './xml.ts'

export interface SamlKey { privateKey: string, certificate: string }
export function newSamlKey(): SamlKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } })
  return { privateKey, certificate: selfSigned(privateKey, 'idp', new Date()) }
}

export interface Vouched { entity: string, name: string, /** Where the response goes. */ to: string, audience?: string, inResponseTo?: string }
const newId = (): string => `_${randomBytes(10).toString('hex')}`

/** The XML of a response with one signed assertion, good for five minutes. */
export async function vouch({ privateKey, certificate }: SamlKey, { entity, name, to, audience, inResponseTo }: Vouched): Promise<string> {
  const now = new Date().toISOString(), ends = new Date(Date.now() + 300_000).toISOString(), answers = inResponseTo === undefined ? '' : ` InResponseTo="${escaped(inResponseTo)}"`
  const conditions = audience === undefined ? '' : `<saml:Conditions NotOnOrAfter="${ends}"><saml:AudienceRestriction><saml:Audience>${escaped(audience)}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`
  const assertion = `<saml:Assertion xmlns:saml="${namespaces.saml}" ID="${newId()}" IssueInstant="${now}" Version="2.0"><saml:Issuer>${entity}</saml:Issuer><saml:Subject><saml:NameID>${escaped(name)}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${ends}" Recipient="${escaped(to)}"${answers}/></saml:SubjectConfirmation></saml:Subject>${conditions}</saml:Assertion>`
  const { signXml } = await import('@node-saml/node-saml/lib/xml.js')
  const signed = signXml(assertion, '/*', { reference: '/*/*[local-name(.)="Issuer"]', action: 'after' }, { privateKey, publicCert: certificate, signatureAlgorithm: 'sha256', digestAlgorithm: 'sha256' })
  return `<samlp:Response xmlns:samlp="${namespaces.samlp}" ID="${newId()}" IssueInstant="${now}" Version="2.0" Destination="${escaped(to)}"${answers}><saml:Issuer xmlns:saml="${namespaces.saml}">${entity}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>${signed}</samlp:Response>`
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
