// Bytes kept by content: what the image service (and later object storage) stores.
import type { Readable } from 'node:stream'
import type { Context } from '#base/context.ts'

export interface Stored { location: string, size: number, md5: string, sha512: string }

/** Gives up on its own with a tooLarge Fault once more than `maxBytes` have come. `inspect` sees the first bytes before anything is kept and may throw. */
export interface PutOptions {
  maxBytes: number
  inspect?: (firstBytes: Buffer) => void
  inspectBytes?: number
  /** Writes down who refers to the bytes, once they are in place. While it runs nobody removes that location; if it throws, the bytes may go. */
  keep?: (stored: Stored) => Promise<void>
}

export interface BlobStore {
  readonly name: string
  /** Streams with back pressure, hashes on the way. A broken stream leaves nothing behind. Equal content is kept once. */
  put(ctx: Context, body: Readable, options: PutOptions): Promise<Stored>
  /** `range` is inclusive. NotFound when there is no such blob. */
  get(ctx: Context, location: string, range?: { start: number, end: number }): Promise<Readable>
  /** A path on this host's file system, for a node that shares it; absent when there is none. */
  localPath?(location: string): string
  /** Removes unless `unused` says that somebody refers to it (asked while no `keep` of that location runs). Not there is success. */
  remove(ctx: Context, location: string, unused: () => Promise<boolean>): Promise<void>
  list(ctx: Context): Promise<{ location: string, size: number }[]>
  close(): Promise<void>
}
