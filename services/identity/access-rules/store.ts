// Rows of access rules, and which application credentials are bound by them.
import { insertIfAbsent } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import type { Page } from '../fields.ts'
import { narrowed, type Term } from '../lists-store.ts'
import type { AccessRuleRow } from '../schema.ts'

export const find = (tx: IdentityTx, userId: string, id: string): Promise<AccessRuleRow | undefined> =>
  tx.db.selectFrom('identityAccessRules').selectAll().where('id', '=', id).where('userId', '=', userId).executeTakeFirst()

export const list = (tx: IdentityTx, userId: string, terms: Term[], page: Page = {}): Promise<AccessRuleRow[]> =>
  narrowed(tx, tx.db.selectFrom('identityAccessRules').selectAll().where('userId', '=', userId), terms, page).execute()

/** The rule like this one that the user has, or this one from now on. */
export async function ensure(tx: IdentityTx, wanted: AccessRuleRow): Promise<AccessRuleRow> {
  const same = async (): Promise<AccessRuleRow | undefined> =>
    (await list(tx, wanted.userId, (['service', 'path', 'method'] as const).map((column) => ({ column, how: 'is', value: wanted[column] }))))[0]
  const found = await same()
  if (found) return found
  return await insertIfAbsent(tx, 'identityAccessRules', { ...wanted }) ? wanted : (await same())!
}

/** Binds an application credential to a rule; false when it is bound to it already. */
export const bind = (tx: IdentityTx, applicationCredentialId: string, accessRuleId: string): Promise<boolean> =>
  insertIfAbsent(tx, 'identityApplicationCredentialRules', { applicationCredentialId, accessRuleId })

/** False when an application credential is bound by it. */
export async function remove(tx: IdentityTx, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx.db.deleteFrom('identityAccessRules').where('id', '=', id)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('identityApplicationCredentialRules').select('accessRuleId').where('accessRuleId', '=', id))))
    .executeTakeFirst()
  return Number(numDeletedRows) > 0
}

export const accessRulesOf = async (tx: IdentityTx, applicationCredentialId: string): Promise<AccessRuleRow[]> =>
  (await accessRulesBy(tx, [applicationCredentialId])).get(applicationCredentialId) ?? []

/** The rules of many application credentials, in one query. */
export async function accessRulesBy(tx: IdentityTx, ids: string[]): Promise<Map<string, AccessRuleRow[]>> {
  const found = new Map<string, AccessRuleRow[]>()
  if (ids.length === 0) return found
  let query = tx.db.selectFrom('identityApplicationCredentialRules as b').leftJoin('identityAccessRules as r', 'r.id', 'b.accessRuleId')
    .select(['b.applicationCredentialId', 'b.accessRuleId as id', 'r.userId', 'r.service', 'r.path', 'r.method'])
  if (ids.length <= 400) query = query.where('b.applicationCredentialId', 'in', ids)
  for (const { applicationCredentialId, ...rule } of await query.orderBy('b.accessRuleId').execute()) {
    // A rule that is gone allows nothing; without it the credential would be bound by none, which allows everything.
    const known: AccessRuleRow = { id: rule.id, userId: rule.userId ?? '', service: rule.service ?? '', path: rule.path ?? '', method: rule.method ?? '' }
    found.set(applicationCredentialId, [...(found.get(applicationCredentialId) ?? []), known])
  }
  return found
}
