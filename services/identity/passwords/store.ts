// Rows of former passwords, of failures to log in, and of who was here last.
import { sql } from 'kysely'
import { inChunks, insertIfAbsent, put } from '#kit/store/rows.ts'
import type { Flag } from '#kit/store/store.ts'
import type { IdentityTx } from '../deps.ts'

export interface PasswordRow { userId: string, number: number, passwordHash: string, createdAt: string, selfService: Flag }
export interface PasswordTables {
  /** The present password is the one with the highest number. */
  identityPasswords: PasswordRow
  /** By user; those of names nobody has by a digest, so that both cost the same. */
  identityLoginFailures: { who: string, failures: number, failedAt: string }
  identityActivity: { userId: string, /** A day: 2026-01-31 */ lastActiveOn: string }
}

/** The newest first. */
export const historyOf = (tx: IdentityTx, userId: string, limit: number): Promise<PasswordRow[]> =>
  tx.db.selectFrom('identityPasswords').selectAll().where('userId', '=', userId).orderBy('number', 'desc').limit(limit).execute()

/** Remembers a new password and forgets all but the `keep` last. */
export async function remember(tx: IdentityTx, userId: string, passwordHash: string, createdAt: string, selfService: Flag, keep: number): Promise<void> {
  const number = Number((await historyOf(tx, userId, 1))[0]?.number ?? 0) + 1
  await insertIfAbsent(tx, 'identityPasswords', { userId, number, passwordHash, createdAt, selfService })
  await tx.db.deleteFrom('identityPasswords').where('userId', '=', userId).where('number', '<=', number - keep).execute()
}

export const failuresOf = (tx: IdentityTx, who: string) => tx.db.selectFrom('identityLoginFailures').selectAll().where('who', '=', who).executeTakeFirst()

/** One failure more, unless so many stand already that more shall not count: those end at `endedBefore`. */
export async function countFailure(tx: IdentityTx, who: string, most: number, endedBefore: string, failedAt: string): Promise<void> {
  const counted = () => tx.db.updateTable('identityLoginFailures')
    .set({ failures: sql<number>`CASE WHEN failures >= ${most} THEN 1 ELSE failures + 1 END`, failedAt })
    .where('who', '=', who).where((eb) => eb.or([eb('failures', '<', most), eb('failedAt', '<=', endedBefore)])).executeTakeFirst()
  if (Number((await counted()).numUpdatedRows) > 0) return
  // Somebody else's first failure at the same time counts too.
  if (!await insertIfAbsent(tx, 'identityLoginFailures', { who, failures: 1, failedAt })) await counted()
}
export const forgiveFailures = async (tx: IdentityTx, who: string): Promise<void> => { await tx.db.deleteFrom('identityLoginFailures').where('who', '=', who).execute() }

/** Notes the day on which the user was here last. */
export const wasHere = (tx: IdentityTx, userId: string, lastActiveOn: string): Promise<void> => put(tx, 'identityActivity', { userId }, { lastActiveOn })
/** The day each of them was here last, of those of whom it is known. */
export async function activity(tx: IdentityTx, userIds: string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const ids of inChunks(userIds, 400)) {
    for (const row of await tx.db.selectFrom('identityActivity').selectAll().where('userId', 'in', ids).execute()) found.set(row.userId, row.lastActiveOn)
  }
  return found
}

/** All that is kept of the passwords and log-ins of users that are gone. */
export async function forgetUsers(tx: IdentityTx, ids: string[]): Promise<void> {
  await tx.db.deleteFrom('identityPasswords').where('userId', 'in', ids).execute()
  await tx.db.deleteFrom('identityLoginFailures').where('who', 'in', ids).execute()
  await tx.db.deleteFrom('identityActivity').where('userId', 'in', ids).execute()
}
