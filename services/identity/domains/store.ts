// A domain's contents as a whole.
import { sql } from 'kysely'
import { inChunks } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import * as options from '../domain-config/store.ts'
import { removeProvidersOf } from '../federation/store.ts'
import * as groups from '../groups/store.ts'
import * as projects from '../projects/store.ts'
import * as roles from '../roles/store.ts'
import * as users from '../users/store.ts'

/** Ends every token of the domain's users and in its projects. */
export async function endTokens(tx: IdentityTx, domainId: string): Promise<void> {
  await tx.db.updateTable('identityUsers').set({ generation: sql<number>`generation + 1` }).where('domainId', '=', domainId).execute()
  await tx.db.updateTable('identityProjects').set({ generation: sql<number>`generation + 1` }).where('domainId', '=', domainId).execute()
}

/** A domain with its users, groups, roles and projects, and all that hangs on them. */
export async function removeWithContents(tx: IdentityTx, domainId: string): Promise<void> {
  const idsIn = async (table: 'identityUsers' | 'identityGroups' | 'identityRoles' | 'identityProjects'): Promise<string[]> =>
    (await tx.db.selectFrom(table).select('id').where('domainId', '=', domainId).execute()).map((row) => row.id)
  await options.remove(tx, domainId)
  await removeProvidersOf(tx, domainId)
  for (const ids of inChunks(await idsIn('identityUsers'))) await users.remove(tx, ids)
  for (const ids of inChunks(await idsIn('identityGroups'))) await groups.remove(tx, ids)
  for (const ids of inChunks(await idsIn('identityRoles'))) await roles.remove(tx, ids)
  for (const ids of inChunks([...await idsIn('identityProjects'), domainId])) await projects.remove(tx, ids)
}
