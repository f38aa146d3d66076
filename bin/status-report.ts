// What an operator sees of a running cloud.
import type { SagaInfo } from '#kit/saga/view.ts'
import { countKept } from '#kit/bus/store.ts'
import { countSagas } from '#kit/saga/store.ts'
import type { SagaTables } from '#kit/saga/schema.ts'
import { hostReports } from '#services/compute/conductor/hosts-store.ts'
import type { ComputeTables } from '#services/compute/schema.ts'
import { countByState } from '#services/compute/servers/store.ts'
import type { Cloud } from './cloud.ts'
import type { DriverName } from './config.ts'

export interface CloudStatus {
  cloud_id: string
  driver: DriverName
  url: string
  pid: number
  started_at: string
  state_dir: string
  hosts: { name: string, up: boolean, reported_at: string }[]
  /** By nova's vm_state. */
  servers: Record<string, number>
  /** Those that have not ended, by state. */
  sagas: { queued: number, running: number, aborting: number, stuck: number }
  stuck: Pick<SagaInfo, 'id' | 'name' | 'resourceId' | 'startedAt' | 'trouble'>[]
  outbox: number
  dead_letters: number
  memory_bytes: number
}

/** nova's service_down_time. */
const downAfterMs = 60_000
export const startedAt = new Date(Date.now() - process.uptime() * 1000).toISOString()

/** A few counting queries: may be asked every few seconds. */
export async function cloudStatus(cloud: Cloud): Promise<CloudStatus> {
  const { store, config } = cloud
  const [hosts, servers] = await store.as<ComputeTables>().read(async (tx) => [await hostReports(tx), await countByState(tx)] as const)
  const sagas = await store.as<SagaTables>().read((tx) => countSagas(tx))
  const kept = await store.read((tx) => countKept(tx))
  const stuck = (sagas.stuck ?? 0) === 0 ? [] : await cloud.runner.list({ states: ['stuck'], limit: 50 })
  const since = new Date(Date.now() - downAfterMs).toISOString()
  return {
    cloud_id: config.cloudId, driver: config.driver, url: cloud.url, pid: process.pid, started_at: startedAt, state_dir: config.stateDir,
    hosts: hosts.map((h) => ({ name: h.host, up: h.reportedAt > since, reported_at: h.reportedAt })), servers: { ...servers },
    sagas: { queued: sagas.queued ?? 0, running: sagas.running ?? 0, aborting: sagas.aborting ?? 0, stuck: sagas.stuck ?? 0 },
    stuck: stuck.map(({ id, name, resourceId, startedAt: since, trouble }) => ({ id, name, resourceId, startedAt: since, trouble })),
    outbox: kept.outbox, dead_letters: kept.deadLetters, memory_bytes: process.memoryUsage.rss(),
  }
}
