// The keys with which this cloud vouches for its users, and opens what was encrypted for it.
import { insertIfAbsent } from '#kit/store/rows.ts'
import type { IdentityTx } from '../deps.ts'
import type { FederationTables } from './schema.ts'
import type { Membership } from './saml-idp.ts'

type KeyRow = FederationTables['identitySamlKeys']

export const savedKey = (tx: IdentityTx, id: string): Promise<KeyRow | undefined> => tx.db.selectFrom('identitySamlKeys').selectAll().where('id', '=', id).executeTakeFirst()

/** The key that counts: this one, or another process's that was faster. */
export async function keepKey(tx: IdentityTx, row: KeyRow): Promise<KeyRow> {
  await insertIfAbsent(tx, 'identitySamlKeys', { ...row })
  return (await savedKey(tx, row.id))!
}

/** A user's groups by name, as another cloud could know them. */
export const membershipsOf = (tx: IdentityTx, userId: string): Promise<Membership[]> =>
  tx.db.selectFrom('identityMemberships as m').innerJoin('identityGroups as g', 'g.id', 'm.groupId')
  .innerJoin('identityProjects as d', 'd.id', 'g.domainId').select(['g.name as name', 'd.name as domainName']).where('m.userId', '=', userId).orderBy('g.name').limit(500).execute()
