// What goes with a user or a project: their credentials, trusts and access rules.
import { now } from '#base/time.ts'
import type { IdentityTx } from '../deps.ts'
import * as trusts from './store.ts'

/** Application credentials, credentials and trusts of users that are gone. */
export async function removeDelegations(tx: IdentityTx, userIds: string[]): Promise<void> {
  await trusts.endOfUsers(tx, userIds, now())
  await tx.db.deleteFrom('identityCredentials').where('userId', 'in', userIds).execute()
  await removeApplicationCredentials(tx, userIds)
}

/** With their access rules; the credentials first, which without rules would be bound by nothing. */
export async function removeApplicationCredentials(tx: IdentityTx, userIds: string[]): Promise<void> {
  await tx.db.deleteFrom('identityApplicationCredentials').where('userId', 'in', userIds).execute()
  await tx.db.deleteFrom('identityAccessRules').where('userId', 'in', userIds).execute()
  await removeLooseRules(tx)
}

/** Trusts and credentials for projects that are gone. */
export async function removeDelegationsIn(tx: IdentityTx, projectIds: string[]): Promise<void> {
  await trusts.endInProjects(tx, projectIds, now())
  await tx.db.deleteFrom('identityCredentials').where('projectId', 'in', projectIds).execute()
  await removeLooseRules(tx)
}

/** What binds credentials that are gone. */
const removeLooseRules = async (tx: IdentityTx): Promise<void> => {
  await tx.db.deleteFrom('identityApplicationCredentialRules').where('applicationCredentialId', 'not in', tx.db.selectFrom('identityApplicationCredentials').select('id')).execute()
}
