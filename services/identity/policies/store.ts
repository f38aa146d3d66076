// Rows of policies, and which one holds for an endpoint.
import type { IdentityTx } from '../deps.ts'
import { rowsOf } from '../lists-store.ts'
import type { EndpointRow } from '../schema.ts'
import type { PolicyAssociationRow, PolicyRow } from './schema.ts'

export const { find, list, add, save } = rowsOf<PolicyRow>('identityPolicies')
/** With its associations. */
export async function remove(tx: IdentityTx, id: string): Promise<void> {
  await tx.db.deleteFrom('identityPolicyAssociations').where('policyId', '=', id).execute()
  await tx.db.deleteFrom('identityPolicies').where('id', '=', id).execute()
}

/** Associations that may concern an endpoint: its own, its service's, and those of its service in any region. */
export const associationsFor = (tx: IdentityTx, endpoint: EndpointRow): Promise<PolicyAssociationRow[]> => tx.db.selectFrom('identityPolicyAssociations').selectAll()
  .where((eb) => eb.or([eb('endpointId', '=', endpoint.id), eb('serviceId', '=', endpoint.serviceId)])).execute()
export const associationsOf = (tx: IdentityTx, policyId: string): Promise<PolicyAssociationRow[]> =>
  tx.db.selectFrom('identityPolicyAssociations').selectAll().where('policyId', '=', policyId).execute()

/** What they were associated with goes. */
export const dissociate = async (tx: IdentityTx, column: 'endpointId' | 'serviceId' | 'regionId', ids: string[]): Promise<void> => {
  await tx.db.deleteFrom('identityPolicyAssociations').where(column, 'in', ids).execute()
}
