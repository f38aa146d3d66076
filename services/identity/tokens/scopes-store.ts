// Where a user has a role of his own or through a group.
import type { IdentityTx } from '../deps.ts'
import type { Page } from '../fields.ts'
import { narrowed, type Term } from '../lists-store.ts'
import { groupIdsOf } from '../groups/store.ts'
import { tagsOf, type TaggedProject } from '../projects/store.ts'
import type { ProjectRow, TargetType } from '../schema.ts'

const targetIds = (tx: IdentityTx, userId: string, targetType: TargetType, inherited: 0 | 1) => tx.db.selectFrom('identityAssignments as a').select('a.targetId')
  .where('a.targetType', '=', targetType).where('a.inherited', '=', inherited)
  .where((eb) => eb.or([
    eb.and([eb('a.actorType', '=', 'user'), eb('a.actorId', '=', userId)]),
    eb.and([eb('a.actorType', '=', 'group'), eb('a.actorId', 'in', groupIdsOf(tx, userId))]),
  ]))

/** Projects with a role, inherited ones included. */
const withRole = (tx: IdentityTx, userId: string) => tx.db
  .withRecursive('below', (db) => db
    .selectFrom('identityProjects as p').select('p.id').where((eb) => eb.or([
      eb('p.parentId', 'in', targetIds(tx, userId, 'domain', 1)), eb('p.parentId', 'in', targetIds(tx, userId, 'project', 1)),
    ]))
    .union((db) => db.selectFrom('below').innerJoin('identityProjects as p', 'p.parentId', 'below.id').select('p.id')))
  .selectFrom('identityProjects as p').innerJoin('identityProjects as d', 'd.id', 'p.domainId').where('p.isDomain', '=', 0)
  .where((eb) => eb.or([eb('p.id', 'in', targetIds(tx, userId, 'project', 0)), eb('p.id', 'in', eb.selectFrom('below').select('below.id'))]))

/** The projects in which the user has a role, inherited ones and disabled projects included. */
export const projectIdsOf = async (tx: IdentityTx, userId: string): Promise<string[]> => (await withRole(tx, userId).select('p.id').execute()).map((row) => row.id)

/** By default only those that can be entered now. */
export async function projectsOf(tx: IdentityTx, userId: string, disabledToo = false, asked: { terms?: Term[], page?: Page } = {}): Promise<TaggedProject[]> {
  let query = withRole(tx, userId).selectAll('p')
  if (!disabledToo) query = query.where('p.enabled', '=', 1).where('d.enabled', '=', 1)
  return tagsOf(tx, await narrowed(tx, query, asked.terms, asked.page, 'p').execute())
}

/** The enabled domains that he can get a token for. */
export const domainsOf = (tx: IdentityTx, userId: string): Promise<ProjectRow[]> =>
  tx.db.selectFrom('identityProjects').selectAll().where('isDomain', '=', 1).where('enabled', '=', 1).where('id', 'in', targetIds(tx, userId, 'domain', 0)).orderBy('id').execute()

/** Whether he has a role on the system. */
export const hasSystem = async (tx: IdentityTx, userId: string): Promise<boolean> =>
  await targetIds(tx, userId, 'system', 0).limit(1).executeTakeFirst() !== undefined
