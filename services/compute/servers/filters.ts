// The query of "list servers": which filters there are in each version and for whom, and what they mean.
// https://docs.openstack.org/api-ref/compute/#list-servers
import { badRequest, forbidden } from '#base/errors.ts'
import type { Actor } from '#base/context.ts'
import type { Version } from '#kit/http/operation.ts'
import { exactSince, oneOf, reshaped, since, Type, type Static } from '#kit/http/schema.ts'
import { asInstant, isTrue } from '../fields.ts'
import type { ServerRow, TaskState, VmState } from '../schema.ts'
import { patternOf } from './pattern.ts'
import * as policy from './policy.ts'
import { statesOfStatus } from './state.ts'
import type { Server, ServerFilter, Sort } from './store.ts'

/** nova's sort keys; those without a column are accepted and passed over. */
const sortColumns: Record<string, keyof ServerRow | 'power' | undefined> = {
  access_ip_v4: 'accessIpV4', access_ip_v6: 'accessIpV6', auto_disk_config: 'diskConfig', availability_zone: 'requestedAz', config_drive: 'configDrive', created_at: 'createdAt', display_description: 'description',
  display_name: 'name', host: 'host', hostname: 'hostname', image_ref: 'imageId', instance_type_id: 'flavorId', kernel_id: undefined, key_name: 'keyName', launch_index: 'launchIndex', launched_at: 'launchedAt',
  locked_by: 'lockedBy', node: 'node', power_state: 'power', progress: 'progress', project_id: 'projectId', ramdisk_id: undefined, root_device_name: 'rootDeviceName', task_state: 'taskState',
  terminated_at: 'terminatedAt', updated_at: 'updatedAt', user_id: 'userId', uuid: 'id', vm_state: 'vmState',
}
/** Accepted before 2.75 and without effect, as in nova. */
const idleSortKeys = ['architecture', 'cell_name', 'cleaned', 'default_ephemeral_device', 'default_swap_device', 'deleted', 'deleted_at', 'disable_terminate', 'ephemeral_gb', 'ephemeral_key_uuid', 'id', 'key_data',
  'launched_on', 'locked', 'memory_mb', 'os_type', 'reservation_id', 'root_gb', 'shutdown_terminate', 'user_data', 'vcpus', 'vm_mode']
const keyList = (...keys: string[]) => Type.Optional(Type.Array(oneOf(...keys)))

const text = Type.Optional(Type.String()), texts = Type.Optional(Type.Array(Type.String()))
/** Columns whose filters are regular expressions in nova. */
const textColumns: Record<string, keyof ServerRow> = {
  name: 'name', display_name: 'name', description: 'description', display_description: 'description', hostname: 'hostname', key_name: 'keyName', node: 'node', root_device_name: 'rootDeviceName',
  access_ip_v4: 'accessIpV4', access_ip_v6: 'accessIpV6', locked_by: 'lockedBy', created_at: 'createdAt', launched_at: 'launchedAt', terminated_at: 'terminatedAt', reservation_id: 'reservationId',
}
const joined = ['block_device_mapping', 'services', 'metadata', 'system_metadata', 'info_cache', 'security_groups', 'pci_devices']

export const listQuery = exactSince('2.75', {
  limit: Type.Optional(Type.Integer({ minimum: 0 })), marker: text,
  sort_key: reshaped({
    '2.1': keyList(...Object.keys(sortColumns), ...idleSortKeys), '2.75': keyList(...Object.keys(sortColumns), 'locked'),
  }),
  sort_dir: texts, status: texts, vm_state: texts, task_state: texts, power_state: texts,
  user_id: text, project_id: text, tenant_id: text, launch_index: text, image_ref: text, image: text, kernel_id: text, ramdisk_id: text, host: text, flavor: text, availability_zone: text, uuid: text, config_drive: text,
  auto_disk_config: text, progress: text, all_tenants: text, soft_deleted: text, deleted: text, ip: text, ip6: text,
  ...Object.fromEntries(Object.keys(textColumns).map((key) => [key, text])) as Record<string, typeof text>, ...Object.fromEntries(joined.map((key) => [key, text])) as Record<string, typeof text>,
  'changes-since': text, 'changes-before': since('2.66', text), locked: since('2.73', text),
  tags: since('2.26', text), 'tags-any': since('2.26', text), 'not-tags': since('2.26', text), 'not-tags-any': since('2.26', text),
})
type Query = Static<typeof listQuery> & Record<string, unknown>

/** Filters that need no administrator; others are silently passed over for anybody else. */
function allowed(version: Version): Set<string> {
  const names = ['reservation_id', 'name', 'status', 'image', 'flavor', 'ip', 'changes-since', 'all_tenants']
  if (version.since('2.5')) names.push('ip6')
  if (version.since('2.26')) names.push('tags', 'tags-any', 'not-tags', 'not-tags-any')
  if (version.since('2.66')) names.push('changes-before')
  if (version.since('2.73')) names.push('locked')
  if (version.since('2.83')) names.push('availability_zone', 'config_drive', 'key_name', 'created_at', 'launched_at', 'terminated_at', 'power_state', 'task_state', 'vm_state', 'progress', 'user_id')
  if (version.since('2.90')) names.push('hostname')
  return new Set(names)
}
const paging = new Set(['limit', 'marker', 'sort_key', 'sort_dir'])
/** Before that a version does not know them: passed over whoever asks, like any other word. */
const arrivedAt = new Map([['changes-before', '2.66'], ['locked', '2.73'], ['tags', '2.26'], ['tags-any', '2.26'], ['not-tags', '2.26'], ['not-tags-any', '2.26']])

export interface Question {
  filter: ServerFilter
  sort: Sort[]
  /** What the database cannot decide; each server must pass all. */
  tests: ((s: Server) => boolean)[]
  zone?: string
  /** Expressions over addresses, which the network service knows. */
  addresses: { version: 4 | 6, matches(address: string): boolean }[]
  /** Nothing can match. */
  nothing: boolean
}

function boolOf(field: string, value: string): boolean {
  if (/^(1|t|true|on|y|yes)$/i.test(value.trim())) return true
  if (/^(0|f|false|off|n|no)$/i.test(value.trim())) return false
  throw badRequest(`Unrecognized value '${value.slice(0, 60)}', acceptable values are: '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes' (${field})`)
}
const powers: Record<string, NonNullable<ServerFilter['powers']>> = { 0: [null], 1: ['running'], 3: ['paused'], 4: ['shutdown'], 6: ['crashed'], 7: ['suspended'] }

/** Reads the query as this caller may ask it. */
export function questionOf(query: Query, actor: Actor, version: Version): Question {
  const everything = policy.allFilters.allows(actor)
  const mine = allowed(version), asked: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(query)) {
    if (!paging.has(key) && (everything || mine.has(key)) && version.since(arrivedAt.get(key) ?? '2.1') && value !== undefined) asked[key] = value
  }
  const one = (key: string): string | undefined => asked[key] as string | undefined
  const filter: ServerFilter = { equal: {}, contains: [] }
  const q: Question = { filter, sort: sortOf(query, actor, version), tests: [], addresses: [], nothing: false }

  for (const key of Object.keys(asked)) if (joined.includes(key) || key.startsWith('_')) throw badRequest(`Invalid filter field: ${key.slice(0, 60)}.`)

  readStates(q, asked, version)
  const changesSince = one('changes-since'), changesBefore = one('changes-before')
  if (changesSince !== undefined) filter.changesSince = asInstant('changes-since', changesSince)
  if (changesBefore !== undefined) filter.changesBefore = asInstant('changes-before', changesBefore)
  if (filter.changesSince !== undefined && filter.changesBefore !== undefined && filter.changesBefore < filter.changesSince) throw badRequest('The value of changes-since must be less than or equal to changes-before.')
  const deleted = one('deleted')
  if (deleted !== undefined) filter.deleted = isTrue(deleted)
  else if (changesSince === undefined && changesBefore === undefined) filter.deleted = false
  if (filter.vmStates?.length === 1 && filter.vmStates[0] === 'deleted') {
    if (!everything) throw forbidden('Only administrators may list deleted instances')
    filter.deleted = true
  }

  const allProjects = one('all_tenants')
  if (allProjects !== undefined && (allProjects === '' || boolOf('all_tenants', allProjects))) {
    if (!policy.listAllProjects.allows(actor)) throw forbidden('Policy doesn\'t allow os_compute_api:servers:index:get_all_tenants to be performed.')
    filter.projectId = one('project_id') ?? one('tenant_id')
  } else if (actor.projectId !== undefined) {
    filter.projectId = actor.projectId
  } else {
    filter.equal.userId = actor.userId
  }
  const locked = one('locked')
  if (locked !== undefined) filter.locked = boolOf('locked', locked)

  for (const [key, column] of [['image', 'imageId'], ['image_ref', 'imageId'], ['flavor', 'flavorId'], ['host', 'host'], ['uuid', 'id'], ['user_id', 'userId'], ['auto_disk_config', 'diskConfig']] as const) {
    const value = one(key)
    if (value !== undefined) filter.equal[column] = value
  }
  for (const [key, column] of [['launch_index', 'launchIndex'], ['progress', 'progress']] as const) {
    const value = one(key)
    if (value !== undefined) { if (/^\d{1,9}$/.test(value)) filter.equal[column] = Number(value); else q.nothing = true }
  }
  if (one('kernel_id') || one('ramdisk_id')) q.nothing = true
  const drive = one('config_drive')
  if (drive !== undefined) filter.equal.configDrive = isTrue(drive) ? 1 : 0
  const zone = one('availability_zone')
  if (zone !== undefined) q.zone = zone

  for (const [key, column] of Object.entries(textColumns)) {
    const value = one(key)
    if (value === undefined) continue
    const pattern = patternOf(value)
    if (pattern.literal !== '') filter.contains.push({ column, text: pattern.literal })
    q.tests.push((s) => s[column] !== null && pattern.test(String(s[column])))
  }
  for (const [key, version] of [['ip', 4], ['ip6', 6]] as const) {
    const value = one(key)
    if (value !== undefined) q.addresses.push({ version, matches: (pattern => (address: string) => pattern.test(address))(patternOf(value)) })
  }
  for (const [key, field] of [['tags', 'tags'], ['tags-any', 'tagsAny'], ['not-tags', 'notTags'], ['not-tags-any', 'notTagsAny']] as const) {
    const value = one(key)
    if (value !== undefined) filter[field] = value.split(',').slice(0, 50)
  }
  return q
}

function readStates(q: Question, asked: Record<string, unknown>, version: Version): void {
  const statuses = asked.status as string[] | undefined, { filter } = q
  if (statuses) {
    const states = [...new Set(statuses)].flatMap((s) => statesOfStatus(s) ?? [])
    if (states.length === 0) {
      if (version.since('2.38')) throw badRequest('Invalid status value')
      q.nothing = true
    }
    filter.states = states
    filter.vmStates = [...new Set(states.map((s) => s.vm))]
  } else if (asked.vm_state) {
    filter.vmStates = asked.vm_state as VmState[]
  }
  const tasks = asked.task_state as string[] | undefined
  if (tasks) q.tests.push((s) => (s.taskState === null ? tasks.some((t) => /^(none|null)?$/i.test(t)) : tasks.includes(s.taskState satisfies TaskState)))
  const numbers = asked.power_state as string[] | undefined
  if (numbers) filter.powers = numbers.flatMap((n) => powers[n] ?? [])
  if (numbers && filter.powers!.length === 0) q.nothing = true
}

function sortOf(query: Query, actor: Actor, version: Version): Sort[] {
  const keys = query.sort_key ?? [], directions = (query.sort_dir as string[] | undefined) ?? []
  for (const d of directions) if (d !== 'asc' && d !== 'desc') throw badRequest(`Unknown sort direction, must be 'asc' or 'desc'`)
  if (keys.length === 0) return [{ column: 'createdAt', down: (directions[0] ?? 'desc') === 'desc' }]
  if (directions.length > keys.length) throw badRequest('Sort direction array size exceeds sort key array size.')
  const sort: Sort[] = []
  keys.forEach((key, n) => {
    if ((key === 'host' || key === 'node') && !policy.allFilters.allows(actor)) throw forbidden(`Only administrators can sort servers by ${key}`)
    const column = key === 'locked' && version.since('2.73') ? 'lockedBy' : sortColumns[key]
    // Fewer directions than keys: the rest go the way of the first.
    // What is sorted by already decides nothing any more; with a marker each key costs as much as all before it.
    if (column && !sort.some((s) => s.column === column)) sort.push({ column, down: (directions[n] ?? directions[0] ?? 'desc') === 'desc' })
  })
  return sort.length > 0 ? sort : [{ column: 'createdAt', down: true }]
}
