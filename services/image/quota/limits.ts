// A project's limits, as the identity service keeps them.
import type { Context } from '#base/context.ts'
import type { Deps, ImageTx } from '../deps.ts'
import { admit, quotaNames, type Ask, type Limits } from './store.ts'

/** Asked before a transaction begins, for nothing but the database is awaited inside. */
export async function limitsOf(ctx: Context, { limits, maxImagesPerProject }: Pick<Deps, 'limits' | 'maxImagesPerProject'>, projectId: string | null): Promise<Limits> {
  const known = projectId === null || !limits ? {} : await limits(ctx, projectId)
  const said = Object.fromEntries(quotaNames.filter((name) => known[name] !== undefined).map((name) => [name, known[name]]))
  // Where nothing is registered there is still a bound on records.
  return { image_count_total: maxImagesPerProject, ...said }
}

/**
 * For whoever creates images or takes bytes: `const admit = await quotaFor(ctx, deps, image.ownerId)` before the transaction, and in it, before the image's status
 * changes, `await admit(tx, { image_count_uploading: 1, image_size_total: announcedBytes ?? 0 })`.
 */
export async function quotaFor(ctx: Context, deps: Pick<Deps, 'limits' | 'maxImagesPerProject'>, projectId: string | null): Promise<(tx: ImageTx, ask: Ask) => Promise<void>> {
  const limits = await limitsOf(ctx, deps, projectId)
  return (tx, ask) => admit(tx, projectId, limits, ask)
}
