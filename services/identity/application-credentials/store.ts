// Rows of application credentials.
import { insert } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import { taken } from '../faults.ts'
import type { Page } from '../fields.ts'
import { narrowed, type Term } from '../lists-store.ts'
import { accessRulesBy } from '../access-rules/store.ts'
import type { AccessRuleRow, ApplicationCredentialRow, RoleRow } from '../schema.ts'

export const find = (tx: IdentityTx, userId: string, id: string): Promise<ApplicationCredentialRow | undefined> =>
  tx.db.selectFrom('identityApplicationCredentials').selectAll().where('id', '=', id).where('userId', '=', userId).executeTakeFirst()

export const list = (tx: IdentityTx, userId: string, terms: Term[], page: Page): Promise<ApplicationCredentialRow[]> =>
  narrowed(tx, tx.db.selectFrom('identityApplicationCredentials').selectAll().where('userId', '=', userId), terms, page).execute()

export const add = (tx: IdentityTx, row: ApplicationCredentialRow): Promise<void> =>
  insert(tx, 'identityApplicationCredentials', { ...row }, () => taken('application_credential', row.name))

/** With what binds it to its rules. */
export async function remove(tx: IdentityTx, id: string): Promise<void> {
  await tx.db.deleteFrom('identityApplicationCredentials').where('id', '=', id).execute()
  await tx.db.deleteFrom('identityApplicationCredentialRules').where('applicationCredentialId', '=', id).execute()
}

/** What credentials' rows only name. */
export interface Said { roles: Map<string, RoleRow>, rules: Map<string, AccessRuleRow[]> }
export const saidOf = async (tx: IdentityTx, rows: ApplicationCredentialRow[]): Promise<Said> =>
  ({ roles: await rolesOf(tx, rows), rules: await accessRulesBy(tx, rows.map((row) => row.id)) })

/** The roles that credentials name, by id. */
export async function rolesOf(tx: IdentityTx, rows: ApplicationCredentialRow[]): Promise<Map<string, RoleRow>> {
  const ids = [...new Set(rows.flatMap((row) => JSON.parse(row.roleIds) as string[]))]
  if (ids.length === 0) return new Map()
  return new Map((await tx.db.selectFrom('identityRoles').selectAll().where('id', 'in', ids.slice(0, 400)).execute()).map((role) => [role.id, role]))
}
