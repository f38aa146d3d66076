// A self-signed X.509 certificate around a key: how SAML's metadata carries one. Its dates and name mean nothing to those who were handed it.
import { createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto'

/** One value in DER: its tag, its length and the parts. */
export const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts), size = body.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255]
  return Buffer.concat([Buffer.of(tag, ...length), body])
}
export const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts)
/** sha256WithRSAEncryption */
const algorithm = sequence(Buffer.from('06092a864886f70d01010b', 'hex'), der(0x05))
const commonName = (name: string): Buffer => sequence(der(0x31, sequence(Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(name)))))
export const instant = (at: Date): Buffer => der(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))

/** PEM of a certificate for an RSA key, good for twenty years. */
export function selfSigned(privateKeyPem: string, name: string, from: Date): string {
  const key = createPrivateKey(privateKeyPem), spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const serial = randomBytes(16)
  serial[0]! &= 0x7f
  serial[0]! |= 0x01
  const until = new Date(from)
  until.setUTCFullYear(until.getUTCFullYear() + 20)
  const told = sequence(der(0xa0, der(0x02, Buffer.of(2))), der(0x02, serial), algorithm, commonName(name), sequence(instant(from), instant(until)), commonName(name), spki)
  const certificate = sequence(told, algorithm, der(0x03, Buffer.of(0), sign('sha256', told, key)))
  return `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}
