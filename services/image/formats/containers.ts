// What a container holds besides a disk, by its first bytes alone: archives, descriptors, packed data.
import { unsupportedMediaType } from '#base/errors.ts'

const begins = (bytes: Buffer, at: number, ...marks: string[]): boolean => marks.some((mark) => bytes.toString('latin1', at, at + mark.length) === mark)

const packings: [name: string, (bytes: Buffer) => boolean][] = [
  ['gzip', (b) => begins(b, 0, '\x1f\x8b')], ['zstd', (b) => begins(b, 0, '\x28\xb5\x2f\xfd')], ['xz', (b) => begins(b, 0, '\xfd7zXZ\0')], ['bzip2', (b) => begins(b, 0, 'BZh')],
  ['zip', (b) => begins(b, 0, 'PK\x03\x04', 'PK\x05\x06')], ['lzma', (b) => begins(b, 0, '\x5d\0\0')], ['lz4', (b) => begins(b, 0, '\x04\x22\x4d\x18')],
]
/** So many bytes tell it. */
export const longestMark = 6
/** How the bytes are packed; undefined when they are not. */
export const packingOf = (bytes: Buffer): string | undefined => packings.find(([, matches]) => matches(bytes))?.[0]

/** A tar archive by its header: the mark, or (older kinds have none) a checksum that is right. */
export function isTar(bytes: Buffer): boolean {
  if (bytes.length < 512) return false
  if (begins(bytes, 257, 'ustar')) return true
  const said = /^ *([0-7]{1,7})[ \0]/.exec(bytes.toString('latin1', 148, 156))?.[1]
  if (said === undefined) return false
  let sum = 0
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : bytes[i]!
  return sum === parseInt(said, 8)
}
/** An OVF descriptor is XML with an envelope. */
const isOvf = (bytes: Buffer): boolean => {
  const text = bytes.toString('utf8', 0, 65_536).replace(/^\ufeff/, '')
  return /^\s*</.test(text) && /<(?:[A-Za-z][\w.-]{0,40}:)?Envelope[\s>]/.test(text)
}

const contents: Record<string, { is(bytes: Buffer): boolean, what: string }> = {
  ova: { is: isTar, what: 'a tar archive' },
  docker: { is: (b) => isTar(b) || ['gzip', 'zstd', 'xz', 'bzip2'].includes(packingOf(b) ?? ''), what: 'a tar archive, packed or not' },
  ovf: { is: (b) => isOvf(b) || isTar(b), what: 'an OVF descriptor, or an archive of one' },
  compressed: { is: (b) => packingOf(b) !== undefined, what: 'packed data' },
}

/** Throws unsupportedMediaType when the bytes are not of the container they are declared to be of. */
export function refuseContainer(declared: string, bytes: Buffer): void {
  const content = Object.hasOwn(contents, declared) ? contents[declared]! : undefined
  if (content && !content.is(bytes)) {
    throw unsupportedMediaType(`Image content does not match its container_format: ${declared} is ${content.what}, which this is not.`, { type: 'ImageFormatMismatch' })
  }
}
