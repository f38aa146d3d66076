// Sealed inputs: secrets rest encrypted in the journal and are erased when the saga ends (law i).
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** Encrypts a JSON value with AES-256-GCM, bound to the saga's id. `key` is 32 bytes. */
export function seal(key: Uint8Array, sagaId: string, value: unknown): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(sagaId))
  const body = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64')
}

/** The value `seal` was given. Throws when the key, the saga or the bytes are others. */
export function unseal(key: Uint8Array, sagaId: string, sealed: string): unknown {
  const bytes = Buffer.from(sealed, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 }).setAAD(Buffer.from(sagaId)).setAuthTag(bytes.subarray(12, 28))
  return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8'))
}
