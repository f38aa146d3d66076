// Rows of our processes that report themselves.
import { now } from '#base/time.ts'
import { change } from '#kit/store/rows.ts'
import type { ComputeTx } from '../deps.ts'
import type { ServiceRow } from '../schema.ts'

export const allServices = (tx: ComputeTx, filter: { host?: string, binary?: string } = {}): Promise<ServiceRow[]> => {
  let query = tx.db.selectFrom('computeServices').selectAll()
  if (filter.host !== undefined) query = query.where('host', '=', filter.host)
  if (filter.binary !== undefined) query = query.where('binary', '=', filter.binary)
  return query.orderBy('number').execute()
}

export const findService = (tx: ComputeTx, id: string): Promise<ServiceRow | undefined> => tx.db.selectFrom('computeServices').selectAll().where('id', '=', id).executeTakeFirst()

export const setService = async (tx: ComputeTx, id: string, set: Pick<ServiceRow, 'disabled' | 'disabledReason'> | Pick<ServiceRow, 'forcedDown'>): Promise<void> => {
  await change(tx, 'computeServices', { id }, { ...set, updatedAt: now() })
}

export const removeService = async (tx: ComputeTx, service: ServiceRow): Promise<void> => {
  await tx.db.deleteFrom('computeServices').where('id', '=', service.id).execute()
  if (service.binary === 'nova-compute') await tx.db.deleteFrom('computeHosts').where('host', '=', service.host).execute()
}

export const serversOnHost = async (tx: ComputeTx, host: string): Promise<boolean> =>
  await tx.db.selectFrom('computeServers').select('id').where('host', '=', host).where('deletedAt', 'is', null).limit(1).executeTakeFirst() !== undefined
