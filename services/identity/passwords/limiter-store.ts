// Leaking buckets of failures. What is in one is told by the instant at which it will be empty: one number, moved by one statement, the same on every control plane.
import { sql } from 'kysely'
import { insertIfAbsent, put } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'

export interface LimiterTables { identityFailureBuckets: { bucket: string, /** Epoch milliseconds. */ emptyAtMs: number } }

/** When each of these is empty; those that nothing was ever poured into are left out. */
export const emptyAt = async (tx: IdentityTx, buckets: string[]): Promise<Map<string, number>> =>
  new Map((await tx.db.selectFrom('identityFailureBuckets').selectAll().where('bucket', 'in', buckets).execute()).map((row) => [row.bucket, Number(row.emptyAtMs)]))

/** One failure more, which takes `everyMs` to leak away; a full bucket stays full. */
export async function pour(tx: IdentityTx, bucket: string, nowMs: number, { everyMs, burst }: { everyMs: number, burst: number }): Promise<void> {
  const first = nowMs + everyMs, full = nowMs + burst * everyMs
  const poured = async (): Promise<boolean> => Number((await tx.db.updateTable('identityFailureBuckets')
    .set({ emptyAtMs: sql<number>`CASE WHEN empty_at_ms <= ${nowMs} THEN ${first} WHEN empty_at_ms + ${everyMs} > ${full} THEN ${full} ELSE empty_at_ms + ${everyMs} END` })
    .where('bucket', '=', bucket).executeTakeFirst()).numUpdatedRows) > 0
  // Somebody else's first failure at the same time counts too.
  if (!await poured() && !await insertIfAbsent(tx, 'identityFailureBuckets', { bucket, emptyAtMs: first })) await poured()
}

/** Full until then, whatever it was. */
export const keep = (tx: IdentityTx, bucket: string, emptyAtMs: number): Promise<void> => put(tx, 'identityFailureBuckets', { bucket }, { emptyAtMs })

export const forget = async (tx: IdentityTx, bucket: string): Promise<void> => { await tx.db.deleteFrom('identityFailureBuckets').where('bucket', '=', bucket).execute() }
export const forgetEmpty = async (tx: IdentityTx, nowMs: number): Promise<void> => { await tx.db.deleteFrom('identityFailureBuckets').where('emptyAtMs', '<=', nowMs).execute() }
