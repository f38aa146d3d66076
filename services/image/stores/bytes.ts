// Bytes in and out of the stores: reading the best copy there is, and removing what nobody refers to.
import type { Readable } from 'node:stream'
import type { BlobStore } from '#drivers/blob/contract.ts'
import type { Context } from '#base/context.ts'
import { badRequest, isFault, notFound } from '#base/errors.ts'
import type { Deps } from '../deps.ts'
import { isReferred, type Place } from './store.ts'

type Needs = Pick<Deps, 'store' | 'stores' | 'staging' | 'cache'>

function blobsAt({ stores, staging, cache }: Needs, place: Place): BlobStore | undefined {
  if (place === 'staging') return staging
  return place === 'cache' ? cache?.blobs : stores.blobs(place.store)
}

/** Says that no row names the bytes, for `put` and `remove` of blob stores. */
export const unusedAt = (deps: Needs, place: Place) => async (location: string): Promise<boolean> => !await deps.store.read((tx) => isReferred(tx, place, location))

/** Removes bytes unless somebody else refers to them. */
export async function dropBytes(ctx: Context, deps: Needs, place: Place, location: string): Promise<void> {
  await blobsAt(deps, place)?.remove(ctx, location, () => unusedAt(deps, place)(location))
}

/** The bytes from the first copy that can be read; `prefer` names stores to try before the usual order. NotFound when none can. */
export async function openCopy(
  ctx: Context, { stores }: Pick<Deps, 'stores'>, copies: readonly { store: string, location: string }[],
  range?: { start: number, end: number }, prefer: readonly string[] = [],
): Promise<Readable> {
  const first = prefer.flatMap((id) => copies.filter((copy) => copy.store === id))
  let last: unknown = notFound('The image data is in no store that is configured here.')
  for (const { store, location } of [...first, ...stores.ordered(copies.filter((copy) => !first.includes(copy)))]) {
    try {
      const blobs = stores.blobs(store)
      if (blobs) return await blobs.get(ctx, location, range)
    } catch (error) {
      if (!isFault(error, 'notFound') && !isFault(error, 'unavailable')) throw error
      ctx.log.error({ store, location, error: error.message }, 'a copy of an image cannot be read')
      last = error
    }
  }
  throw last
}

/** Store names as a query or a header gives them. Throws badRequest for one that does not exist. */
export function storesNamed({ stores }: Pick<Deps, 'stores'>, ids: readonly string[]): string[] {
  const unknown = ids.find((id) => !stores.find(id))
  if (unknown !== undefined) throw badRequest(`Unknown store identifier '${unknown.slice(0, 60)}'.`)
  return [...new Set(ids)]
}
