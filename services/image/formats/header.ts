// Reads numbers and text out of the first bytes of an image that a stranger made: every access is bounds-checked, nothing is followed.

/** The header says there is more than we were given. */
export class CutOff extends Error {}

/** What a format's reader says of a disk. */
export interface Finding {
  /** Bytes of the disk inside; absent when the bytes at hand do not tell. */
  virtualSize?: number
  /** Why it must not be used, each a phrase that ends "…: it PROBLEM". Empty when all is well. */
  problems: string[]
}

/** One format: whether the bytes are of it, and if so what they say. `read` may throw CutOff. */
export interface Format { name: string, matches(header: Header): boolean, read(header: Header): Finding }

/** No disk is larger than this; a header that claims more is broken or means harm. */
export const largestDiskBytes = 2 ** 50

/** The first bytes of a disk, read within their bounds. */
export class Header {
  readonly #bytes: Buffer
  constructor(bytes: Buffer) { this.#bytes = bytes }

  get length(): number { return this.#bytes.length }
  slice(at: number, length: number): Buffer {
    if (!Number.isSafeInteger(at) || at < 0 || length < 0 || at + length > this.#bytes.length) throw new CutOff()
    return this.#bytes.subarray(at, at + length)
  }
  has(at: number, text: string): boolean {
    return at + text.length <= this.#bytes.length && this.#bytes.toString('latin1', at, at + text.length) === text
  }
  u16le(at: number): number { return this.slice(at, 2).readUInt16LE() }
  u32le(at: number): number { return this.slice(at, 4).readUInt32LE() }
  u32be(at: number): number { return this.slice(at, 4).readUInt32BE() }
  u64le(at: number): bigint { return this.slice(at, 8).readBigUInt64LE() }
  u64be(at: number): bigint { return this.slice(at, 8).readBigUInt64BE() }
}

/** A disk's size as a number, or the problem with it. */
export const sized = (bytes: bigint, problems: string[]): Finding =>
  bytes > BigInt(largestDiskBytes) ? { problems: [...problems, `claims a disk of ${bytes} bytes, more than any there is`] } : { virtualSize: Number(bytes), problems }
