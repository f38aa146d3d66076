// Rows of agents: one a host, written from its heartbeats.
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { change, insertIfAbsent } from '#kit/store/rows.ts'
import type { NetworkTx } from '../deps.ts'
import type { AgentRow } from '../schema.ts'

export const list = (tx: NetworkTx): Promise<AgentRow[]> => tx.db.selectFrom('networkAgents').selectAll().orderBy('host').execute()
export const find = (tx: NetworkTx, id: string): Promise<AgentRow | undefined> => tx.db.selectFrom('networkAgents').selectAll().where('id', '=', id).executeTakeFirst()

export async function heard(tx: NetworkTx, host: string, startedAt: string, configurations: string): Promise<void> {
  const at = now()
  if (await change(tx, 'networkAgents', { host }, { heartbeatAt: at, startedAt, configurations }) > 0) return
  await insertIfAbsent(tx, 'networkAgents', { id: newId(), host, agentType: 'Pileus network agent', binary: 'pileus-network-agent', configurations, createdAt: at, startedAt, heartbeatAt: at })
}
