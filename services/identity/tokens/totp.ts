// Time-based one-time passcodes as authenticator programs make them (RFC 6238): SHA-1, six digits, thirty seconds.
import { createHmac, timingSafeEqual } from 'node:crypto'

const stepSeconds = 30, digits = 6
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The secret's bytes; undefined for what is no base32. */
export function decodeBase32(text: string): Buffer | undefined {
  const bytes: number[] = []
  let bits = 0, held = 0
  for (const letter of text.trim().toUpperCase().replace(/=+$/, '')) {
    const value = alphabet.indexOf(letter)
    if (value < 0) return undefined
    held = (held << 5 | value) & 0xfff
    bits += 5
    if (bits >= 8) bytes.push(held >> (bits -= 8) & 255)
  }
  return bytes.length > 0 ? Buffer.from(bytes) : undefined
}

/** The number of the half minute since 1970. */
export const stepAt = (atMs: number): number => Math.floor(atMs / 1000 / stepSeconds)

/** The six digits of that half minute: RFC 6238. */
export function passcode(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  return String((mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fffffff) % 10 ** digits).padStart(digits, '0')
}

/** The step whose passcode this is, the present one or one of `previous` before it. */
export function stepOf(secret: Buffer, given: string, atMs: number, previous: number): number | undefined {
  const now = stepAt(atMs), wanted = Buffer.from(given)
  for (let step = now; step >= now - previous; step--) {
    const made = Buffer.from(passcode(secret, step))
    if (made.length === wanted.length && timingSafeEqual(made, wanted)) return step
  }
  return undefined
}
