// Public and private keys in OpenSSH's formats (RFC 4253 §6.6, PROTOCOL.key), and their fingerprints.
import { createHash, generateKeyPair, type JsonWebKey } from 'node:crypto'
import { promisify } from 'node:util'
import { badRequest } from '#base/errors.ts'

const generate = promisify(generateKeyPair)

const field = (bytes: Uint8Array | string): Buffer => {
  const body = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes), length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, body])
}
/** A positive multi-precision integer: a leading zero byte where the sign bit would be set. */
const mpint = (base64url: string): Buffer => {
  const bytes = Buffer.from(base64url, 'base64url')
  return field(bytes[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)
}
const colons = (hex: string): string => hex.match(/../g)!.join(':')
const md5 = (bytes: Buffer): string => colons(createHash('md5').update(bytes).digest('hex'))

/** A new RSA key: the kind every guest and every ssh client takes. The private half is PEM (PKCS#1), as nova hands it out. */
export async function generateSsh(comment: string): Promise<{ publicKey: string, privateKey: string, fingerprint: string }> {
  const { publicKey, privateKey } = await generate('rsa', { modulusLength: 2048, publicExponent: 0x10001 })
  const jwk: JsonWebKey = publicKey.export({ format: 'jwk' })
  const blob = Buffer.concat([field('ssh-rsa'), mpint(jwk.e!), mpint(jwk.n!)])
  return { publicKey: `ssh-rsa ${blob.toString('base64')} ${comment}`, privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }) as string, fingerprint: md5(blob) }
}

/** How many length-prefixed fields each kind of key is made of, its name included. */
const kinds: Record<string, number> = {
  'ssh-rsa': 3, 'ssh-dss': 5, 'ssh-ed25519': 2, 'ecdsa-sha2-nistp256': 3, 'ecdsa-sha2-nistp384': 3, 'ecdsa-sha2-nistp521': 3,
  'sk-ssh-ed25519@openssh.com': 3, 'sk-ecdsa-sha2-nistp256@openssh.com': 4,
}

/** Checks a public key of somebody's own; answers its MD5 fingerprint, which is what nova shows. */
export function fingerprintOf(publicKey: string): string {
  const bad = (why: string): Error => badRequest(`Keypair data is invalid: failed to generate fingerprint: ${why}`)
  const text = publicKey.trim()
  if (/[\r\n]/.test(text)) throw bad('a public key is one line')
  const [kind, base64] = text.split(/\s+/)
  if (kind === undefined || base64 === undefined || !Object.hasOwn(kinds, kind)) throw bad('the key is not in the form of OpenSSH')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw bad('the key is not base64')
  const blob = Buffer.from(base64, 'base64')
  let at = 0, fields = 0, first = ''
  while (at + 4 <= blob.length) {
    const length = blob.readUInt32BE(at)
    if (at + 4 + length > blob.length) throw bad('the key is cut off')
    if (fields === 0) first = blob.toString('latin1', at + 4, at + 4 + length)
    at += 4 + length
    fields++
  }
  if (at !== blob.length || fields !== kinds[kind] || first !== kind) throw bad(`the data is no key of type ${kind}`)
  return md5(blob)
}

/** nova takes PEM certificates for Windows guests, under the SHA-1 of their bytes. */
export function certificateFingerprint(pem: string): string {
  const body = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(pem)?.[1]
  if (body === undefined) throw badRequest('Keypair data is invalid: failed to generate X509 fingerprint. Error message: it is no PEM certificate')
  return colons(createHash('sha1').update(Buffer.from(body.replace(/\s/g, ''), 'base64')).digest('hex'))
}
