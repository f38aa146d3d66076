// The states of a server in one table: what users see in each, what may be done, and where it leads.
import { conflict } from '#base/errors.ts'
import type { InstanceRow, ServerRow, TaskState, VmState } from '../schema.ts'
import type { PowerAction } from '../lifecycle.ts'

/** What users may ask for, in nova's own words (they stand in its refusals). */
export type Verb =
  | 'start' | 'stop' | 'reboot' | 'reboot_hard' | 'pause' | 'unpause' | 'suspend' | 'resume' | 'delete'
  | 'update_instance_metadata' | 'delete_instance_metadata' | 'attach_interface' | 'detach_interface' | 'tags'

/** `vm`: in which states; `tasks`: also while these are under way ('any': whatever is); `launched`: only what once ran. */
interface Legal { vm: readonly VmState[] | 'any', tasks?: readonly TaskState[] | 'any', launched?: true }

const settled = ['active', 'paused', 'suspended', 'stopped'] as const

/** https://docs.openstack.org/api-guide/compute/server_concepts.html and nova's checks in compute/api. */
export const legal: Record<Verb, Legal> = {
  start: { vm: ['stopped'], launched: true },
  stop: { vm: ['active', 'error'], launched: true },
  reboot: { vm: ['active'], launched: true },
  reboot_hard: { vm: ['active', 'stopped', 'paused', 'suspended', 'error'], tasks: ['rebooting', 'reboot_started', 'rebooting_hard', 'resuming', 'unpausing', 'pausing', 'suspending'], launched: true },
  pause: { vm: ['active'], launched: true },
  unpause: { vm: ['paused'], launched: true },
  suspend: { vm: ['active'], launched: true },
  resume: { vm: ['suspended'], launched: true },
  delete: { vm: 'any', tasks: 'any' },
  update_instance_metadata: { vm: settled },
  delete_instance_metadata: { vm: settled },
  attach_interface: { vm: ['active', 'paused', 'stopped'], launched: true },
  detach_interface: { vm: ['active', 'paused', 'stopped'], launched: true },
  tags: { vm: settled, tasks: 'any' },
}

/** Each power change: its verb, the task shown while it is under way, and the state it ends in. */
export const powerMoves: Record<PowerAction, { verb: Verb, task: TaskState, to: VmState }> = {
  start: { verb: 'start', task: 'powering-on', to: 'active' },
  stop: { verb: 'stop', task: 'powering-off', to: 'stopped' },
  'soft-reboot': { verb: 'reboot', task: 'rebooting', to: 'active' },
  'hard-reboot': { verb: 'reboot_hard', task: 'rebooting_hard', to: 'active' },
  pause: { verb: 'pause', task: 'pausing', to: 'paused' },
  unpause: { verb: 'unpause', task: 'unpausing', to: 'active' },
  suspend: { verb: 'suspend', task: 'suspending', to: 'suspended' },
  resume: { verb: 'resume', task: 'resuming', to: 'active' },
}

const seenAs: Record<InstanceRow['power'], VmState> = { running: 'active', paused: 'paused', suspended: 'suspended', shutdown: 'stopped', crashed: 'stopped' }
/** nova's power_state numbers; 0 is "no state". */
const powerNumbers: Record<InstanceRow['power'], number> = { running: 1, paused: 3, shutdown: 4, crashed: 6, suspended: 7 }

export type StateOf = Pick<ServerRow, 'vmState' | 'taskState'>

/** The record and what the host observed, taken together: a guest that powered itself off is stopped, whatever was wanted.
 * While a task is under way the record alone counts: the observation may be of before or after. */
export const vmStateOf = (server: StateOf, power: InstanceRow['power'] | null | undefined): VmState =>
  power && server.taskState === null && (settled as readonly VmState[]).includes(server.vmState) ? seenAs[power] : server.vmState

export const powerStateOf = (server: StateOf, power: InstanceRow['power'] | null | undefined): number =>
  power && server.vmState !== 'building' && server.vmState !== 'deleted' ? powerNumbers[power] : 0

const plainStatus: Record<VmState, string> = {
  building: 'BUILD', active: 'ACTIVE', paused: 'PAUSED', suspended: 'SUSPENDED', stopped: 'SHUTOFF', error: 'ERROR', deleted: 'DELETED',
}
const activeTasks: Partial<Record<TaskState, string>> = {
  rebooting: 'REBOOT', reboot_started: 'REBOOT', rebooting_hard: 'HARD_REBOOT', reboot_started_hard: 'HARD_REBOOT',
}

/** nova's public status. */
export const statusOf = (vm: VmState, task: TaskState | null): string => (vm === 'active' && task !== null && activeTasks[task]) || plainStatus[vm]

/** Statuses that can be filtered by, and the states behind each. Tasks undefined: all but those that show as another status. */
export const statesOfStatus = (status: string): { vm: VmState, tasks?: TaskState[], notTasks?: TaskState[] } | undefined => {
  const upper = status.toUpperCase()
  const tasks = (Object.keys(activeTasks) as TaskState[]).filter((t) => activeTasks[t] === upper)
  if (tasks.length > 0) return { vm: 'active', tasks }
  const vm = (Object.keys(plainStatus) as VmState[]).find((v) => plainStatus[v] === upper)
  return vm && { vm, ...(vm === 'active' && { notTasks: Object.keys(activeTasks) as TaskState[] }) }
}

/** nova shows `progress` only in these. */
export const showsProgress = (status: string): boolean => status === 'ACTIVE' || status === 'BUILD'
/** nova shows `fault` only in these. */
export const showsFault = (status: string): boolean => status === 'ERROR' || status === 'DELETED'

/** Throws nova's 409 unless the verb is legal now. `word` is what the refusal calls it, when that differs from the verb. */
export function mayDo(verb: Verb, server: Pick<ServerRow, 'id' | 'vmState' | 'taskState' | 'launchedAt'>, power: InstanceRow['power'] | null | undefined, word: string = verb.replace(/_hard$/, '')): void {
  const { vm, tasks, launched } = legal[verb]
  const state = vmStateOf(server, power)
  if (vm !== 'any' && !vm.includes(state)) throw refused(word, server.id, 'vm_state', state)
  if (tasks !== 'any' && server.taskState !== null && !tasks?.includes(server.taskState)) throw refused(word, server.id, 'task_state', server.taskState)
  if (launched && server.launchedAt === null) throw conflict(`Cannot '${word}' an instance which has never been active`)
}
const refused = (word: string, id: string, what: string, state: string): Error => conflict(`Cannot '${word}' instance ${id} while it is in ${what} ${state}`)

/** What may be done now, for dashboards. */
export const verbsOf = (server: Pick<ServerRow, 'id' | 'vmState' | 'taskState' | 'launchedAt'>, power?: InstanceRow['power'] | null): Verb[] =>
  (Object.keys(legal) as Verb[]).filter((verb) => { try { mayDo(verb, server, power); return true } catch { return false } })

/** The legal moves of the record itself; a saga's or agent's compare-and-set asks this before it writes. `deleted` is final. */
export const moves: Record<VmState, readonly VmState[]> = {
  building: ['building', 'active', 'error', 'deleted'],
  active: ['active', 'paused', 'suspended', 'stopped', 'error', 'deleted'],
  paused: ['paused', 'active', 'stopped', 'error', 'deleted'],
  suspended: ['suspended', 'active', 'stopped', 'error', 'deleted'],
  stopped: ['stopped', 'active', 'error', 'deleted'],
  error: ['error', 'active', 'stopped', 'deleted'],
  deleted: [],
}
