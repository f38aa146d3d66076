// Fernet (https://github.com/fernet/spec): sealed, time-stamped bytes as URL-safe text. Tokens and service credentials are made of it.
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** 16 bytes that sign and 16 that encrypt. */
export type FernetKey = Buffer

export const newFernetKey = (): FernetKey => randomBytes(32)

const version = 0x80, ivAt = 9, textAt = 25, macLength = 32
const mac = (key: FernetKey, bytes: Buffer): Buffer => createHmac('sha256', key.subarray(0, 16)).update(bytes).digest()

/** Seals `payload` under `key`, without base64's padding, as keystone's tokens are written. */
export function sealFernet(key: FernetKey, payload: Buffer, atSeconds = Math.floor(Date.now() / 1000)): string {
  const head = Buffer.alloc(textAt)
  head[0] = version
  head.writeBigUInt64BE(BigInt(atSeconds), 1)
  const iv = randomBytes(16)
  iv.copy(head, ivAt)
  const cipher = createCipheriv('aes-128-cbc', key.subarray(16, 32), iv)
  const signed = Buffer.concat([head, cipher.update(payload), cipher.final()])
  return Buffer.concat([signed, mac(key, signed)]).toString('base64url')
}

/** What was sealed under any of the keys, with the second it was sealed at; undefined for everything else. */
export function openFernet(keys: readonly FernetKey[], text: string): { payload: Buffer, sealedAtSeconds: number } | undefined {
  if (text.length > 4096 || !/^[A-Za-z0-9_-]+={0,2}$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  // Bits that no byte needs could be anything: one seal, one text.
  if (bytes.toString('base64url') !== text.replace(/=+$/, '')) return undefined
  const textLength = bytes.length - textAt - macLength
  if (textLength < 16 || textLength % 16 !== 0 || bytes[0] !== version) return undefined
  const signed = bytes.subarray(0, bytes.length - macLength), given = bytes.subarray(bytes.length - macLength)
  for (const key of keys) {
    if (!timingSafeEqual(mac(key, signed), given)) continue
    const decipher = createDecipheriv('aes-128-cbc', key.subarray(16, 32), signed.subarray(ivAt, textAt))
    try {
      return { payload: Buffer.concat([decipher.update(signed.subarray(textAt)), decipher.final()]), sealedAtSeconds: Number(signed.readBigUInt64BE(1)) }
    } catch { return undefined }
  }
  return undefined
}

/** The keys in use: new seals use the first, all of them open. */
export interface Keyring {
  readonly keys: readonly FernetKey[]
  /** Looks whether another process has added keys, unless that was done just now and is not demanded; answers whether there is news. */
  refresh(demanded?: boolean): Promise<boolean>
  /** Looks when that was last done some seconds ago: before anything is sealed or opened. */
  fresh(): Promise<void>
}
