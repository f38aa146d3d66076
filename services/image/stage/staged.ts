// What is staged of one image, as one stream: pieces follow each other, and of several forms the last one counts.
import { Readable } from 'node:stream'
import type { Context } from '#base/context.ts'
import { chunksOf } from '#base/chunks.ts'
import { conflict } from '#base/errors.ts'
import { dropBytes } from '../stores/bytes.ts'
import type { Deps, ImageTx } from '../deps.ts'
import type { StagePartRow } from '../schema.ts'
import { partsOf } from './store.ts'

export interface Staged { parts: StagePartRow[], size: number, /** Nothing is missing. */ whole: boolean, form: number }

/** The pieces of the highest form. */
export async function stagedOf(tx: ImageTx, imageId: string): Promise<Staged> {
  const all = await partsOf(tx, imageId), form = all.at(-1)?.form ?? 0, parts = all.filter((part) => part.form === form)
  return { parts, form, size: parts.reduce((sum, part) => sum + Number(part.size), 0), whole: parts.at(-1)?.last === 1 }
}

/** All of it, or its first bytes. Conflict when something is missing. */
export async function openStaged(ctx: Context, { store, staging }: Pick<Deps, 'store' | 'staging'>, imageId: string): Promise<Readable> {
  const { parts, whole } = await store.read((tx) => stagedOf(tx, imageId))
  if (!whole) throw conflict('The staged data is not complete.')
  if (parts.length === 1) return staging.get(ctx, parts[0]!.location)
  return Readable.from((async function* () {
    for (const { location } of parts) {
      const piece = await staging.get(ctx, location)
      try {
        yield* chunksOf(piece)
      } finally {
        piece.destroy()
      }
    }
  })(), { objectMode: false, highWaterMark: 1024 ** 2 })
}

/** The first bytes, or as many as there are. */
export async function firstStaged(ctx: Context, deps: Pick<Deps, 'store' | 'staging'>, imageId: string, bytes: number): Promise<Buffer> {
  const stream = await openStaged(ctx, deps, imageId), chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    if ((size += chunk.length) >= bytes) break
  }
  return Buffer.concat(chunks).subarray(0, bytes)
}

/** Removes the bytes of pieces whose rows are gone. */
export async function dropParts(ctx: Context, deps: Pick<Deps, 'store' | 'stores' | 'staging' | 'cache'>, parts: readonly StagePartRow[]): Promise<void> {
  for (const location of new Set(parts.map((part) => part.location))) await dropBytes(ctx, deps, 'staging', location)
}
