// A project's own limits, and what it uses.
import { counts, put } from '#kit/store/rows.ts'
import { quotaResources, type NetworkConfig, type NetworkTx, type QuotaResource } from '../deps.ts'

export type Limits = Record<QuotaResource, number>

export async function limitsOf(tx: NetworkTx, config: Pick<NetworkConfig, 'quotas'>, projectId: string): Promise<Limits> {
  const limits: Limits = { ...config.quotas }
  for (const row of await tx.db.selectFrom('networkQuotas').selectAll().where('projectId', '=', projectId).execute()) limits[row.resource as QuotaResource] = Number(row.amount)
  return limits
}

/** Projects that have limits of their own. */
export async function own(tx: NetworkTx, config: Pick<NetworkConfig, 'quotas'>): Promise<Map<string, Limits>> {
  const found = new Map<string, Limits>()
  for (const row of await tx.db.selectFrom('networkQuotas').selectAll().orderBy('projectId').execute()) {
    let limits = found.get(row.projectId)
    if (!limits) found.set(row.projectId, limits = { ...config.quotas })
    limits[row.resource as QuotaResource] = Number(row.amount)
  }
  return found
}

export async function set(tx: NetworkTx, projectId: string, limits: Partial<Limits>): Promise<void> {
  for (const [resource, amount] of Object.entries(limits)) await put(tx, 'networkQuotas', { projectId, resource }, { amount })
}
export const reset = async (tx: NetworkTx, projectId: string): Promise<boolean> =>
  Number((await tx.db.deleteFrom('networkQuotas').where('projectId', '=', projectId).executeTakeFirst()).numDeletedRows) > 0

export async function used(tx: NetworkTx, projectId: string): Promise<Limits> {
  const sums = await counts(tx, `network/${projectId}/`)
  return Object.fromEntries(quotaResources.map((resource) => [resource, sums.get(resource) ?? 0])) as Limits
}
