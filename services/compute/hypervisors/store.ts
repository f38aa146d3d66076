// Hosts as hypervisors: what they have, and what their servers take of it.
import { instanceName } from '../servers/instance-name.ts'
import type { ComputeTx } from '../deps.ts'
import type { FlavorSnapshot, HostRow, ServiceRow } from '../schema.ts'

export interface Hypervisor extends HostRow { service: ServiceRow, used: { servers: number, vcpus: number, memoryMib: number, diskGib: number } }
export interface HypervisorPage { hostContains?: string, limit?: number, markerNumber?: number }

const nothing = { servers: 0, vcpus: 0, memoryMib: 0, diskGib: 0 }

/** In the order hosts became known. Three queries, however many there are. */
export async function list(tx: ComputeTx, page: HypervisorPage = {}): Promise<Hypervisor[]> {
  let query = tx.db.selectFrom('computeHosts').selectAll()
  if (page.hostContains !== undefined) query = query.where('host', 'like', `%${page.hostContains.replace(/[%_]/g, '')}%`)
  if (page.markerNumber !== undefined) query = query.where('number', '>', page.markerNumber)
  query = query.orderBy('number')
  const rows = await (page.limit === undefined ? query : query.limit(page.limit)).execute()
  if (rows.length === 0) return []
  const names = rows.map((r) => r.host)
  const services = new Map((await tx.db.selectFrom('computeServices').selectAll().where('binary', '=', 'nova-compute').where('host', 'in', names).execute()).map((s) => [s.host, s]))
  // Servers of one flavor carry the same text: few groups, whatever the number of servers.
  const groups = await tx.db.selectFrom('computeServers').select(['host', 'flavor']).select(({ fn }) => fn.countAll().as('n')).where('deletedAt', 'is', null).where('host', 'in', names).groupBy(['host', 'flavor']).execute()
  const used = new Map<string, Hypervisor['used']>()
  for (const { host, flavor, n } of groups) {
    const f = JSON.parse(flavor) as FlavorSnapshot, sum = used.get(host!) ?? nothing, count = Number(n)
    used.set(host!, { servers: sum.servers + count, vcpus: sum.vcpus + f.vcpus * count, memoryMib: sum.memoryMib + f.memoryMib * count, diskGib: sum.diskGib + (f.diskGib + f.ephemeralGib) * count })
  }
  return rows.flatMap((row) => { const service = services.get(row.host); return service ? [{ ...row, service, used: used.get(row.host) ?? nothing }] : [] })
}

export const serversOf = async (tx: ComputeTx, hosts: string[]): Promise<Map<string, { name: string, uuid: string }[]>> => {
  const rows = hosts.length === 0 ? [] : await tx.db.selectFrom('computeServers').select(['id', 'number', 'host']).where('host', 'in', hosts).where('deletedAt', 'is', null).orderBy('number').execute()
  return new Map([...Map.groupBy(rows, (r) => r.host!)].map(([host, list]) => [host, list.map((r) => ({ name: instanceName(r), uuid: r.id }))]))
}
