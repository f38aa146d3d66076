// What a project's images use, counted from the images themselves: there is no sum to go wrong.
import { sql } from 'kysely'
import { overQuota } from '#base/errors.ts'
import { MIB } from '#base/units.ts'
import { count } from '#kit/store/rows.ts'
import type { ImageTx } from '../deps.ts'

/** Registered at identity for the service `image`: mebibytes, and numbers of images. */
export const quotaNames = ['image_size_total', 'image_stage_total', 'image_count_total', 'image_count_uploading'] as const
export type QuotaName = (typeof quotaNames)[number]
/** What nobody registered, or is below zero, bounds nothing. */
export type Limits = Partial<Record<QuotaName, number>>

const taking = ['saving', 'uploading', 'importing']

/** In bytes, and numbers of images. */
async function usedBytes(tx: ImageTx, projectId: string): Promise<Record<QuotaName, number>> {
  const rows = await tx.db.selectFrom('imageImages').select(['status', ({ fn }) => fn.countAll().as('images')]).where('ownerId', '=', projectId).groupBy('status').execute()
  const images = (statuses?: string[]): number => rows.filter((row) => !statuses || statuses.includes(row.status)).reduce((total, row) => total + Number(row.images), 0)
  // Every copy counts, in whichever store.
  const kept = await tx.db.selectFrom('imageImages as i').innerJoin('imageLocations as l', 'l.imageId', 'i.id')
    .select(sql<number | null>`SUM(i.size)`.as('bytes')).where('i.ownerId', '=', projectId).executeTakeFirst()
  const staged = await tx.db.selectFrom('imageImages as i').innerJoin('imageStageParts as p', 'p.imageId', 'i.id')
    .select(sql<number | null>`SUM(p.size)`.as('bytes')).where('i.ownerId', '=', projectId).executeTakeFirst()
  return { image_size_total: Number(kept?.bytes ?? 0), image_stage_total: Number(staged?.bytes ?? 0), image_count_total: images(), image_count_uploading: images(taking) }
}

const isBytes = (name: QuotaName): boolean => name === 'image_size_total' || name === 'image_stage_total'
const amountOf = (name: QuotaName, used: number): number => (isBytes(name) ? Math.floor(used / MIB) : used)

/** As limits count: mebibytes, rounded down. */
export async function usage(tx: ImageTx, projectId: string): Promise<Record<QuotaName, number>> {
  const used = await usedBytes(tx, projectId)
  return Object.fromEntries(quotaNames.map((name) => [name, amountOf(name, used[name])])) as Record<QuotaName, number>
}

/**
 * What is about to be begun, by the quotas it counts for: images, or bytes. Bytes of unknown number are 0: as glance has it, such an upload begins unless its
 * project is over the limit already.
 */
export type Ask = Partial<Record<QuotaName, number>>

/**
 * Refuses with a 413 what would pass a limit. Called in the transaction that begins it, before the image's status changes: whoever begins something in the same
 * project waits for its end.
 */
export async function admit(tx: ImageTx, projectId: string | null, limits: Limits, ask: Ask): Promise<void> {
  const bounded = quotaNames.filter((name) => ask[name] !== undefined && (limits[name] ?? -1) >= 0)
  if (projectId === null || bounded.length === 0) return
  // A row of the project's own, written first: what is counted after it stays true until we are done, on every engine.
  await count(tx, `image.quota.${projectId}`, 1)
  const used = await usedBytes(tx, projectId)
  for (const name of bounded) {
    const limit = limits[name]!, asked = ask[name]!
    const over = isBytes(name) && asked > 0 ? used[name] + asked > limit * MIB : amountOf(name, used[name]) + asked > limit
    if (over) {
      throw overQuota(`Resource ${name} is over limit of ${limit} due to current usage ${amountOf(name, used[name])} and delta ${isBytes(name) ? Math.ceil(asked / MIB) : asked}`)
    }
  }
}
