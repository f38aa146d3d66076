// Bytes kept by content: what the image service (and later object storage) stores.
import type { Readable } from 'node:stream'
import type { Context } from '#base/context.ts'

/** `location` is the driver's own word for where the bytes are; only the driver reads meaning into it. The hashes are hex. */
export interface Stored { location: string, size: number, md5: string, sha512: string }

export interface PutOptions {
  /** More bytes than this are a tooLarge Fault, thrown as soon as they have come. */
  maxBytes: number
  /** Sees the first `inspectBytes` (fewer if there are no more) before anything is kept, and may throw. */
  inspect?: (firstBytes: Buffer) => void
  inspectBytes?: number
  /**
   * Writes down who refers to the bytes, once they are in place. When it has settled they are there, whoever removes equal ones meanwhile, in this process or another.
   * If it throws, the bytes go unless somebody else refers to them.
   */
  keep?: (stored: Stored) => Promise<void>
  /** Says that nobody refers to a location. Absent: bytes that were not there before nobody refers to. */
  unused?: (location: string) => Promise<boolean>
}

export interface BlobStore {
  readonly name: string
  /**
   * Streams with back pressure, hashes on the way. Equal content is kept once. A broken stream (badRequest), a full disk (unavailable) or a refusal leaves nothing behind;
   * `body` is then left as it is, so that its owner can still answer whoever sends it.
   */
  put(ctx: Context, body: Readable, options: PutOptions): Promise<Stored>
  /** `range` is inclusive. NotFound when there is no such blob, or `location` is none. */
  get(ctx: Context, location: string, range?: { start: number, end: number }): Promise<Readable>
  /** A path on this host's file system, for a node that shares it; absent when there is none. */
  localPath?(location: string): string
  /** Removes if `unused` says that nobody refers to it; it is asked more than once, and what a `keep` writes down at the same time counts. Not there is success. */
  remove(ctx: Context, location: string, unused: () => Promise<boolean>): Promise<void>
  /** Removes what processes that died while they kept it had put in place, unless somebody refers to it. */
  recover(ctx: Context, unused: (location: string) => Promise<boolean>): Promise<void>
  list(ctx: Context): Promise<{ location: string, size: number }[]>
  close(): Promise<void>
}
