// What a trust is worth at this moment: who lends, whether all along the chain may act, and the roles that are lent.
import type { IdentityTx } from '../deps.ts'
import * as implied from '../roles/store.ts'
import { rolesOf, type Person, type Role } from '../tokens/standing-store.ts'
import { personOf, personColumns } from '../tokens/people-store.ts'

/** What a trust is worth now. */
export interface TrustStanding {
  id: string
  impersonation: boolean
  trustor: Person
  trusteeUserId: string
  projectId: string | null
  expiresAt: string | null
  /** Everybody who handed it on. */
  agentsMayEnter: boolean
  /** With what they imply; undefined when the one who lends has lost any of them. */
  roles: Role[] | undefined
}

/** undefined when the trust or its trustor is gone. Used-up ones still stand behind the tokens they gave. */
export async function trustStanding(tx: IdentityTx, id: string): Promise<TrustStanding | undefined> {
  const row = await tx.db.selectFrom('identityTrusts as t').innerJoin('identityUsers as u', 'u.id', 't.trustorUserId').innerJoin('identityProjects as d', 'd.id', 'u.domainId')
    .select(['t.id as trustId', 't.impersonation', 't.trusteeUserId', 't.rootTrustorId', 't.projectId', 't.expiresAt', 't.redelegatedTrustId', 't.roleIds', ...personColumns])
    .where('t.id', '=', id).where('t.deletedAt', 'is', null).executeTakeFirst()
  if (!row) return undefined
  const held = row.projectId === null ? [] : await rolesOf(tx, row.rootTrustorId, { kind: 'project', id: row.projectId }, true)
  const lent = JSON.parse(row.roleIds) as string[], inferences = await implied.inferences(tx)
  const all = new Set(lent.flatMap((role) => [role, ...implied.impliedBy(role, inferences)]))
  return {
    id: row.trustId, impersonation: row.impersonation === 1, trustor: personOf(row), trusteeUserId: row.trusteeUserId, projectId: row.projectId, expiresAt: row.expiresAt,
    agentsMayEnter: row.redelegatedTrustId === null || await agentsMayEnter(tx, row.redelegatedTrustId),
    roles: lent.every((role) => held.some((h) => h.id === role)) ? held.filter((h) => all.has(h.id) && h.domainId === '').map(({ id, name }) => ({ id, name })) : undefined,
  }
}

/** Whether all trusts above stand, and the trustors and trustees of them all may enter. */
async function agentsMayEnter(tx: IdentityTx, id: string): Promise<boolean> {
  const chain = await tx.db
    .withRecursive('above', (db) => db
      .selectFrom('identityTrusts')
        .select(['id as trust', 'redelegatedTrustId as next', 'trustorUserId as trustor', 'trusteeUserId as trustee', 'deletedAt as ended'])
        .where('id', '=', id)
      .union((db) => db.selectFrom('above').innerJoin('identityTrusts as t', 't.id', 'above.next')
        .select(['t.id as trust', 't.redelegatedTrustId as next', 't.trustorUserId as trustor', 't.trusteeUserId as trustee', 't.deletedAt as ended'])))
    .selectFrom('above').leftJoin('identityUsers as u', (j) => j.on((eb) => eb.or([eb('u.id', '=', eb.ref('above.trustor')), eb('u.id', '=', eb.ref('above.trustee'))])))
    .leftJoin('identityProjects as d', 'd.id', 'u.domainId')
    .select(['above.trust', 'above.next', 'above.ended', 'above.trustor', 'above.trustee', 'u.id', 'u.enabled', 'd.enabled as domainEnabled']).execute()
  const enter = new Set(chain.filter((c) => c.enabled === 1 && c.domainEnabled === 1).map((c) => c.id))
  // One that is gone from the chain does not stand.
  const stands = new Set(chain.map((c) => c.trust))
  return stands.has(id) && chain.every((c) => c.ended === null && (c.next === null || stands.has(c.next)) && enter.has(c.trustor) && enter.has(c.trustee))
}
