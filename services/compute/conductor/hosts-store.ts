// Rows of hosts and of the services on them: written only from the hosts' own reports.
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { change, insertIfAbsent } from '#kit/store/rows.ts'
import type { HostFacts } from '#drivers/hypervisor/contract.ts'
import type { ComputeTx } from '../deps.ts'

/** Of these hosts, those that were heard of since and that no administrator has declared down. */
export async function upSince(tx: ComputeTx, names: string[], sinceMs: number): Promise<Set<string>> {
  const rows = await tx.db.selectFrom('computeHosts').select('host').where('host', 'in', names).where('reportedAt', '>', new Date(sinceMs).toISOString())
    .where('host', 'not in', (eb) => eb.selectFrom('computeServices').select('host').where('binary', '=', 'nova-compute').where('forcedDown', '=', 1)).execute()
  return new Set(rows.map((r) => r.host))
}

const nextNumber = async (tx: ComputeTx, table: 'computeHosts' | 'computeServices'): Promise<number> =>
  Number((await tx.db.selectFrom(table).select(({ fn }) => fn.max('number').as('n')).executeTakeFirst())?.n ?? 0) + 1

/** Keeps what a host says of itself; answers the id its resource provider has. */
export async function report(tx: ComputeTx, host: string, hostIp: string, facts: HostFacts, bootedAt?: string): Promise<string> {
  const at = now()
  const said = {
    hypervisorType: facts.hypervisorType, hypervisorVersion: facts.hypervisorVersion, hostIp, vcpus: facts.vcpus, memoryMib: facts.memoryMib, diskGib: facts.diskGib,
    cpuInfo: JSON.stringify(facts.cpuInfo), traits: JSON.stringify(facts.traits), reportedAt: at, bootedAt: bootedAt ?? null,
  }
  if (await change(tx, 'computeHosts', { host }, said) === 0) {
    await insertIfAbsent(tx, 'computeHosts', { ...said, host, id: newId(), number: await nextNumber(tx, 'computeHosts') })
  }
  await reportService(tx, host, 'nova-compute')
  return (await tx.db.selectFrom('computeHosts').select('id').where('host', '=', host).executeTakeFirstOrThrow()).id
}

/** A process of ours is there: conductor, scheduler or a host's agent. */
export async function reportService(tx: ComputeTx, host: string, binary: string): Promise<void> {
  if (await change(tx, 'computeServices', { host, binary }, { reportedAt: now() }) > 0) return
  await insertIfAbsent(tx, 'computeServices', {
    id: newId(), number: await nextNumber(tx, 'computeServices'), host, binary, disabled: 0, disabledReason: null, forcedDown: 0, reportedAt: now(), updatedAt: now(),
  })
}

/** Signs of life of many hosts in two statements; false when one of them never introduced itself. */
export async function heartbeat(tx: ComputeTx, names: string[]): Promise<boolean> {
  const at = now()
  const seen = await change(tx, 'computeHosts', { host: names }, { reportedAt: at })
  await change(tx, 'computeServices', { host: names, binary: 'nova-compute' }, { reportedAt: at })
  return seen === names.length
}

/** Hosts after `afterHost` by name, with their providers' ids. */
export const page = (tx: ComputeTx, afterHost: string, limit: number): Promise<{ host: string, id: string }[]> =>
  tx.db.selectFrom('computeHosts').select(['host', 'id']).where('host', '>', afterHost).orderBy('host').limit(limit).execute()

/** When each host was last heard of. */
export const hostReports = (tx: ComputeTx): Promise<{ host: string, reportedAt: string }[]> =>
  tx.db.selectFrom('computeHosts').select(['host', 'reportedAt']).orderBy('host').execute()
