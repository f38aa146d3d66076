// XML as SAML needs it: written from templates, read without DTDs and entities, bounded.
import { Unmapped } from './rules.ts'

/** The namespaces that SAML's documents use. */
export const namespaces = {
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion', samlp: 'urn:oasis:names:tc:SAML:2.0:protocol',
  soap: 'http://schemas.xmlsoap.org/soap/envelope/', ecp: 'urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp',
  paos: 'urn:liberty:paos:2003-08', metadata: 'urn:oasis:names:tc:SAML:2.0:metadata', signature: 'http://www.w3.org/2000/09/xmldsig#',
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' }
/** Text for XML or HTML; characters that XML cannot hold are dropped. */
export const escaped = (text: string): string => text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '').replace(/[&<>"']/g, (c) => entities[c]!)
/**
 * A template in which every value is escaped; one that is already markup goes through `markup`. Line breaks of the template, and the spaces after them, are for those
 * who read the code: they are left out.
 */
export const xml = (parts: TemplateStringsArray, ...values: (string | Markup)[]): string => {
  const written = parts.map((part) => part.replace(/\n\s*/g, ''))
  return written.reduce((out, part, i) => {
    const value = values[i - 1]!
    return out + (typeof value === 'string' ? escaped(value) : value.xml) + part
  })
}
/** Text that is written as it is. */
export interface Markup { xml: string }
export const markup = (text: string): Markup => ({ xml: text })
/** The whole document around its root element. */
export const document = (root: string): string => `<?xml version="1.0" encoding="UTF-8"?>\n${root}`

/** SAML's instants, in whole seconds. */
export const instant = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`
/** A certificate in PEM as metadata carries it. */
export const keyInfo = (pem: string): string => xml`
  <ds:KeyInfo xmlns:ds="${namespaces.signature}">
    <ds:X509Data><ds:X509Certificate>${pem.replace(/-----[A-Z ]+-----|\s/g, '')}</ds:X509Certificate></ds:X509Data>
  </ds:KeyInfo>`

/** No document that is believed is larger. */
export const maxXmlBytes = 262_144
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The text of a document that is safe to parse; Unmapped for what is not. */
export function safeXml(bytes: Uint8Array): string {
  if (bytes.length > maxXmlBytes) throw new Unmapped('a document that is too large')
  let text: string
  try { text = utf8.decode(bytes) } catch { throw new Unmapped('a document that is not UTF-8') }
  if (/<!(?!--|\[CDATA\[)/.test(text)) throw new Unmapped('a document with a DTD or entities')
  if (/<\?(?!xml\s)/.test(text)) throw new Unmapped('a document with processing instructions')
  let depth = 0
  for (const [tag] of text.matchAll(/<\/?[^!?<>][^<>]*>/g)) {
    depth += tag.startsWith('</') ? -1 : tag.endsWith('/>') ? 0 : 1
    if (depth > 64) throw new Unmapped('a document that is nested too deep')
  }
  return text
}
