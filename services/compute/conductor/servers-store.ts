// The conductor's moves of a server's record, each a compare-and-set, and the cards planned for it.
import { conflict, notFound } from '#base/errors.ts'
import { now } from '#base/time.ts'
import { change, insert, put } from '#kit/store/rows.ts'
import type { SagaFault } from '#kit/saga/saga.ts'
import type { ComputeTx } from '../deps.ts'
import type { BuildPlan, PlannedNic } from '../lifecycle.ts'
import type { InstanceRow, ServerRow, TaskState } from '../schema.ts'
import * as groups from '../server-groups/store.ts'

export const find = (tx: ComputeTx, id: string): Promise<ServerRow | undefined> =>
  tx.db.selectFrom('computeServers').selectAll().where('id', '=', id).where('deletedAt', 'is', null).executeTakeFirst()

export async function get(tx: ComputeTx, id: string): Promise<ServerRow> {
  const row = await find(tx, id)
  if (!row) throw notFound(`Instance ${id} could not be found.`)
  return row
}

/** Moves a record that is still as it was read; a lost race is a Conflict. */
export async function move(tx: ComputeTx, row: Pick<ServerRow, 'id' | 'generation'>, set: Partial<ServerRow>): Promise<void> {
  const moved = await change(tx, 'computeServers', { id: row.id, generation: row.generation, deletedAt: null }, { ...set, generation: row.generation + 1, updatedAt: now() })
  if (moved === 0) throw conflict(`Instance ${row.id} was changed by another request, try again.`)
}

/** A build's moves: they count only while the record is still being built, and a running delete keeps its task. Others have no say any more. */
async function building(tx: ComputeTx, id: string, set: Partial<ServerRow>): Promise<boolean> {
  const row = await get(tx, id)
  if (row.vmState !== 'building') return false
  const { taskState, ...rest } = set
  await move(tx, row, row.taskState === 'deleting' ? rest : set)
  return true
}
/** A Conflict of the type `GroupTaken` when members of the server's group that were placed at the same moment are where its policy does not want them. */
export async function assign(tx: ComputeTx, id: string, host: string, node: string, group?: BuildPlan['group']): Promise<boolean> {
  if (group?.policy === 'affinity' || group?.policy === 'anti-affinity') {
    await groups.lock(tx, group.id)
    const others = await tx.db.selectFrom('computeServerGroupMembers as g').innerJoin('computeServers as s', 's.id', 'g.serverId').select('s.host')
      .where('g.groupId', '=', group.id).where('s.deletedAt', 'is', null).where('s.host', 'is not', null).where('s.id', '!=', id).execute()
    const here = others.filter((other) => other.host === host).length
    if (group.policy === 'affinity' ? here < others.length : here >= (group.maxServerPerHost ?? 1)) throw conflict('Another server of its group was placed at the same moment.', { type: groupTaken, adminDetail: host })
  }
  return building(tx, id, { host, node, taskState: 'spawning' })
}
export const groupTaken = 'GroupTaken'
/** What the host may have seen of the guest goes with it. */
export async function unassign(tx: ComputeTx, id: string): Promise<void> {
  if (await building(tx, id, { host: null, node: null, taskState: 'scheduling' })) await tx.db.deleteFrom('computeInstances').where('serverId', '=', id).execute()
}
export const launched = (tx: ComputeTx, id: string): Promise<boolean> => building(tx, id, { vmState: 'active', taskState: null, progress: 100, launchedAt: now() })

/** What OpenStack promises of a failed build: ERROR, with the reason. */
export async function fail(tx: ComputeTx, id: string, fault: SagaFault): Promise<void> {
  const row = await find(tx, id)
  if (!row || row.taskState === 'deleting') return
  if (row.vmState !== 'error') await move(tx, row, { vmState: 'error', taskState: null, progress: 0, host: null, node: null })
  await complain(tx, id, fault)
}

/** Keeps what went wrong with a server that goes on as it was. */
export const complain = (tx: ComputeTx, id: string, fault: Pick<SagaFault, 'message' | 'adminDetail'>): Promise<void> =>
  put(tx, 'computeServerFaults', { serverId: id }, { code: 500, message: fault.message, details: fault.adminDetail ?? null, createdAt: now() })

export const planNics = async (tx: ComputeTx, serverId: string, nics: PlannedNic[]): Promise<void> => {
  if (nics.length > 0) await insert(tx, 'computeServerNics', nics.map((nic, position) => ({ serverId, position, portId: nic.portId, networkId: nic.networkId, userOwned: nic.userOwned ? 1 : 0, tag: nic.tag ?? null })))
}
export const nics = (tx: ComputeTx, serverId: string) => tx.db.selectFrom('computeServerNics').selectAll().where('serverId', '=', serverId).orderBy('position').execute()

export const serversOn = (tx: ComputeTx, host: string): Promise<{ id: string }[]> =>
  tx.db.selectFrom('computeServers').select('id').where('host', '=', host).where('deletedAt', 'is', null).execute()

/** What a host sees of its guests. Answers those it should not have. */
export async function observe(tx: ComputeTx, host: string, seen: { serverId: string, power: InstanceRow['power'] }[]): Promise<string[]> {
  if (seen.length === 0) return []
  const known = new Map((await tx.db.selectFrom('computeServers').select(['id', 'host']).where('id', 'in', seen.map((s) => s.serverId)).where('deletedAt', 'is', null).execute()).map((r) => [r.id, r.host]))
  const strangers: string[] = []
  for (const { serverId, power } of seen) {
    if (known.get(serverId) === host) await put(tx, 'computeInstances', { serverId }, { host, power, observedAt: now() })
    else strangers.push(serverId)
  }
  return strangers
}

export const metadataOf = async (tx: ComputeTx, serverId: string): Promise<Record<string, string>> =>
  Object.fromEntries((await tx.db.selectFrom('computeServerMetadata').select(['key', 'value']).where('serverId', '=', serverId).execute()).map((r) => [r.key, r.value]))

/** base64, as the user gave it. */
export const userDataOf = async (tx: ComputeTx, serverId: string): Promise<string | undefined> =>
  (await tx.db.selectFrom('computeServerUserData').select('userData').where('serverId', '=', serverId).executeTakeFirst())?.userData

/** Files for the guest's config drive, base64; they are forgotten when it is built, or cannot be. */
export async function filesOf(tx: ComputeTx, serverId: string): Promise<{ path: string, contents: string }[]> {
  const row = await tx.db.selectFrom('computeServerFiles').select('files').where('serverId', '=', serverId).executeTakeFirst()
  return row ? JSON.parse(row.files) as { path: string, contents: string }[] : []
}
export const forgetFiles = async (tx: ComputeTx, serverId: string): Promise<void> => { await tx.db.deleteFrom('computeServerFiles').where('serverId', '=', serverId).execute() }

export const serverOfPort = async (tx: ComputeTx, portId: string): Promise<string | undefined> =>
  (await tx.db.selectFrom('computeServerNics').select('serverId').where('portId', '=', portId).executeTakeFirst())?.serverId

/** Servers whose task has been one of these since `before`, the longest waiting first. */
export const waitingSince = (tx: ComputeTx, tasks: TaskState[], before: string, limit: number): Promise<ServerRow[]> =>
  tx.db.selectFrom('computeServers').selectAll().where('taskState', 'in', tasks).where('updatedAt', '<', before).where('deletedAt', 'is', null).where('host', 'is not', null).orderBy('updatedAt').limit(limit).execute()

/** Which of these were servers once and can use nothing any more: deleted, or failed before they came to a host. */
export const usingNothing = async (tx: ComputeTx, ids: string[]): Promise<string[]> => ids.length === 0 ? [] :
  (await tx.db.selectFrom('computeServers').select('id').where('id', 'in', ids)
    .where((eb) => eb.or([eb('deletedAt', 'is not', null), eb.and([eb('vmState', '=', 'error'), eb('host', 'is', null)])])).execute()).map((r) => r.id)
