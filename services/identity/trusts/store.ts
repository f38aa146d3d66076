// Rows of trusts. What is deleted stays for a while with its time, and is worth nothing.
import { sql } from 'kysely'
import { inChunks, insert } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import type { Page } from '../fields.ts'
import { narrowed, type Term } from '../lists-store.ts'
import type { TrustRow } from '../schema.ts'

/** Deleted and expired ones are forgotten after so long. */
const keptMs = 7 * 86_400_000

const numbers = (row: TrustRow): TrustRow =>
  ({ ...row, remainingUses: row.remainingUses === null ? null : Number(row.remainingUses), redelegationCount: Number(row.redelegationCount) })

/** Those that were ended are none. */
export async function find(tx: IdentityTx, id: string): Promise<TrustRow | undefined> {
  const row = await tx.db.selectFrom('identityTrusts').selectAll().where('id', '=', id).where('deletedAt', 'is', null).executeTakeFirst()
  return row && numbers(row)
}

/** As keystone shows them one by one: neither expired nor used up. */
export async function findUsable(tx: IdentityTx, id: string, nowMs: number): Promise<TrustRow | undefined> {
  const row = await find(tx, id)
  return !row || (row.expiresAt !== null && Date.parse(row.expiresAt) <= nowMs) || row.remainingUses === 0 ? undefined : row
}

/** Takes one of the uses that are left; false when none is. */
export async function use(tx: IdentityTx, id: string): Promise<boolean> {
  const { numUpdatedRows } = await tx.db.updateTable('identityTrusts').set({ remainingUses: sql<number | null>`remaining_uses - 1` })
    .where('id', '=', id).where('deletedAt', 'is', null).where((eb) => eb.or([eb('remainingUses', 'is', null), eb('remainingUses', '>', 0)])).executeTakeFirst()
  return Number(numUpdatedRows) > 0
}

export const list = async (tx: IdentityTx, terms: Term[], page: Page = {}): Promise<TrustRow[]> =>
  (await narrowed(tx, tx.db.selectFrom('identityTrusts').selectAll().where('deletedAt', 'is', null), terms, page).execute()).map(numbers)

/** A trust of the same people for the same, until the same moment. */
export const twin = (tx: IdentityTx, row: TrustRow): Promise<{ id: string } | undefined> =>
  tx.db.selectFrom('identityTrusts').select('id').where('deletedAt', 'is', null)
    .where('trustorUserId', '=', row.trustorUserId).where('trusteeUserId', '=', row.trusteeUserId).where('projectId', '=', row.projectId)
    .where('impersonation', '=', row.impersonation).where('expiresAt', '=', row.expiresAt).limit(1).executeTakeFirst()

/** Throws away what ended long ago, too. */
export async function add(tx: IdentityTx, row: TrustRow): Promise<void> {
  const before = new Date(Date.parse(row.createdAt) - keptMs).toISOString()
  await tx.db.deleteFrom('identityTrusts').where((eb) => eb.or([eb('deletedAt', '<', before), eb('expiresAt', '<', before)])).execute()
  await insert(tx, 'identityTrusts', { ...row })
}

/** Ends trusts and all that were made of them; their tokens end too. */
export async function end(tx: IdentityTx, ids: string[], at: string): Promise<void> {
  for (let level = ids; level.length > 0;) {
    const below: string[] = []
    for (const part of inChunks(level)) {
      await tx.db.updateTable('identityTrusts').set({ deletedAt: at }).where('id', 'in', part).where('deletedAt', 'is', null).execute()
      below.push(...(await tx.db.selectFrom('identityTrusts').select('id').where('redelegatedTrustId', 'in', part).where('deletedAt', 'is', null).execute()).map((t) => t.id))
    }
    level = below
  }
}

/** Those that these users gave, hold or stand behind. */
export async function endOfUsers(tx: IdentityTx, userIds: string[], at: string): Promise<void> {
  const rows = await tx.db.selectFrom('identityTrusts').select('id').where('deletedAt', 'is', null)
    .where((eb) => eb.or([eb('trustorUserId', 'in', userIds), eb('trusteeUserId', 'in', userIds), eb('rootTrustorId', 'in', userIds)])).execute()
  await end(tx, rows.map((r) => r.id), at)
}

export async function endInProjects(tx: IdentityTx, projectIds: string[], at: string): Promise<void> {
  await tx.db.updateTable('identityTrusts').set({ deletedAt: at }).where('projectId', 'in', projectIds).where('deletedAt', 'is', null).execute()
}
