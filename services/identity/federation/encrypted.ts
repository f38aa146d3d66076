// Encrypted assertions: what of them is opened at all. Anybody can encrypt something for us, so nothing of it is believed before its signature is.
import { Unmapped } from './rules.ts'
import { safeXml } from './xml.ts'

const transport = 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p'
const sealed = ['http://www.w3.org/2009/xmlenc11#aes128-gcm', 'http://www.w3.org/2009/xmlenc11#aes256-gcm']
const unsealed = ['http://www.w3.org/2001/04/xmlenc#aes128-cbc', 'http://www.w3.org/2001/04/xmlenc#aes256-cbc']
const methods = /<(?:[^<>\s/:]+:)?EncryptionMethod(?=[\s/>])[^<>]*>/g

/** Whether a response has an encrypted assertion. */
export const hasEncrypted = (text: string): boolean => /<(?:[^<>\s/:]+:)?EncryptedAssertion[\s/>]/.test(text)
/** The document without the digests of key transport, where SHA-1 does no harm. */
export const withoutTransportDigests = (text: string): string => text.replace(/(<(?:[^<>\s/:]+:)?EncryptionMethod\s[^<>]*>\s*)<(?:[^<>\s/:]+:)?DigestMethod\s[^<>]*>/g, '$1')

/**
 * Throws Unmapped for what must not be opened: RSA without OAEP and triple DES tell who asks often enough what is inside.
 * CBC does too, unless the whole response is signed: then nobody could have tried out another text. Answers whether that must be so.
 */
export function demandsSignedResponse(text: string): boolean {
  let demands = false
  for (const [tag] of text.matchAll(methods)) {
    const named = [...tag.matchAll(/\sAlgorithm\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map((m) => m[1] ?? m[2]!)
    if (named.length !== 1 || ![transport, ...sealed, ...unsealed].includes(named[0]!)) {
      throw new Unmapped(`an assertion encrypted by ${named.join(' and ').slice(0, 100) || 'nothing'}`)
    }
    demands ||= unsealed.includes(named[0]!)
  }
  return demands
}

/** What stands in the one encrypted assertion, safe to parse. Throws Unmapped, or what decrypting throws. */
export async function opened(text: string, key: string): Promise<string> {
  const { decryptXml, parseDomFromString, xpath } = await import('@node-saml/node-saml/lib/xml.js')
  const found = xpath.selectElements(await parseDomFromString(text) as never, '/*[local-name(.)="Response"]/*[local-name(.)="EncryptedAssertion"]')
  if (found.length !== 1) throw new Unmapped('not exactly one encrypted assertion')
  return safeXml(Buffer.from(await decryptXml(String(found[0]), key)))
}
