// Secrets at rest: a saga's sealed inputs in its journal (law i), what operators entrust to identity. Each is bound to what it belongs to.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** Encrypts a JSON value with AES-256-GCM, bound to the id of whose it is. `key` is 32 bytes. */
export function seal(key: Uint8Array, ownerId: string, value: unknown): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(ownerId))
  const body = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64')
}

/** The value `seal` was given. Throws when the key, the owner or the bytes are others. */
export function unseal(key: Uint8Array, ownerId: string, sealed: string): unknown {
  const bytes = Buffer.from(sealed, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 }).setAAD(Buffer.from(ownerId)).setAuthTag(bytes.subarray(12, 28))
  return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8'))
}
