// Limits and what is used of them. Used sums are counters that the creating and deleting transactions change themselves: two creates at once cannot
// both take the last place.
import { overQuota } from '#base/errors.ts'
import { count, counts, put } from '#kit/store/rows.ts'
import type { ComputeTx } from '../deps.ts'
import type { ServerRow } from '../schema.ts'

/** nova's defaults; -1: no limit. What the network service limits, it limits itself. */
export const defaultLimits = {
  instances: 10, cores: 20, ram: 51_200, fixed_ips: -1, floating_ips: -1, security_groups: -1, security_group_rules: -1, metadata_items: 128,
  injected_files: 5, injected_file_content_bytes: 10_240, injected_file_path_bytes: 255, key_pairs: 100, server_groups: 10, server_group_members: 10,
}
export type Resource = keyof typeof defaultLimits
export const resources = Object.keys(defaultLimits) as Resource[]
export type Limits = Record<Resource, number>

/** The limits of nobody in particular: nova's `default` class, kept under a project without a name. */
const everybody = ''

async function overrides(tx: ComputeTx, projectIds: string[]): Promise<{ projectId: string, userId: string, resource: string, hardLimit: number }[]> {
  return tx.db.selectFrom('computeQuotas').selectAll().where('projectId', 'in', projectIds).execute()
}
const over = (base: Limits, rows: { resource: string, hardLimit: number }[]): Limits => ({ ...base, ...Object.fromEntries(rows.map((r) => [r.resource, Number(r.hardLimit)])) })

export const defaults = async (tx: ComputeTx): Promise<Limits> => over(defaultLimits, await overrides(tx, [everybody]))

/** A project's limits, or a user's in it where they were set; these never pass the project's. */
export async function limitsOf(tx: ComputeTx, projectId: string, userId = ''): Promise<Limits> {
  const rows = await overrides(tx, [everybody, projectId])
  const ofProject = over(over(defaultLimits, rows.filter((r) => r.projectId === everybody)), rows.filter((r) => r.projectId === projectId && r.userId === ''))
  return userId === '' ? ofProject : over(ofProject, rows.filter((r) => r.projectId === projectId && r.userId === userId))
}

export const limitOf = async (tx: ComputeTx, projectId: string | undefined, resource: Resource): Promise<number> => (await limitsOf(tx, projectId ?? everybody))[resource]

export async function setLimits(tx: ComputeTx, projectId: string, userId: string, limits: Partial<Limits>): Promise<void> {
  for (const [resource, hardLimit] of Object.entries(limits)) await put(tx, 'computeQuotas', { projectId, userId, resource }, { hardLimit })
}
export const setDefaults = (tx: ComputeTx, limits: Partial<Limits>): Promise<void> => setLimits(tx, everybody, '', limits)

export async function clearLimits(tx: ComputeTx, projectId: string, userId?: string): Promise<void> {
  const query = tx.db.deleteFrom('computeQuotas').where('projectId', '=', projectId)
  await (userId === undefined ? query : query.where('userId', '=', userId)).execute()
}

const usedPrefix = (projectId: string, userId: string): string => `compute.used.${projectId}/${userId && `${userId}/`}`

/** What is used, by resource; those that are counted nowhere are 0. */
export async function used(tx: ComputeTx, projectId: string, userId = ''): Promise<Limits> {
  const sums = await counts(tx, usedPrefix(projectId, userId))
  return Object.fromEntries(resources.map((r) => [r, sums.get(r) ?? 0])) as Limits
}

export interface Owner { projectId: string, userId: string }

/**
 * Takes room for as many servers as the limits let through, between `min` and `max`; answers how many.
 * Throws nova's 403 when not even `min` fit.
 */
export async function takeServers(tx: ComputeTx, owner: Owner, flavor: { vcpus: number, memoryMib: number }, min: number, max: number): Promise<number> {
  const rows = await overrides(tx, [everybody, owner.projectId])
  const ofProject = over(over(defaultLimits, rows.filter((r) => r.projectId === everybody)), rows.filter((r) => r.projectId === owner.projectId && r.userId === ''))
  const ofUser = rows.filter((r) => r.projectId === owner.projectId && r.userId === owner.userId)
  const each = { instances: 1, cores: flavor.vcpus, ram: flavor.memoryMib }
  // How many fit is only looked up when several may be made; one is simply tried.
  let n = max
  if (min < max) {
    const now = await used(tx, owner.projectId), mine = await used(tx, owner.projectId, owner.userId), user = over({ ...ofProject, instances: -1, cores: -1, ram: -1 }, ofUser)
    for (const [resource, size] of Object.entries(each) as [keyof typeof each, number][]) {
      if (size <= 0) continue
      for (const [limit, sum] of [[ofProject[resource], now[resource]], [user[resource], mine[resource]]] as const) if (limit >= 0) n = Math.min(n, Math.floor((limit - sum) / size))
    }
    n = Math.max(n, min)
  }
  const exceeded: Resource[] = []
  for (const [resource, size] of Object.entries(each) as [keyof typeof each, number][]) {
    const userLimit = ofUser.find((r) => r.resource === resource)?.hardLimit ?? -1
    if (!await count(tx, usedPrefix(owner.projectId, '') + resource, size * n, ofProject[resource])
      || !await count(tx, usedPrefix(owner.projectId, owner.userId) + resource, size * n, Number(userLimit))) exceeded.push(resource)
  }
  if (exceeded.length > 0) {
    const now = await used(tx, owner.projectId)
    const list = (of: (r: keyof typeof each) => number): string => exceeded.map((r) => of(r as keyof typeof each)).join(', ')
    const names = exceeded.join(', ')
    throw overQuota(`Quota exceeded for ${names}: Requested ${list((r) => each[r] * n)}, but already used ${list((r) => now[r])} of ${list((r) => ofProject[r])} ${names}`)
  }
  return n
}

/** Gives back what a server took: when it is gone, not when it failed. */
export async function releaseServer(tx: ComputeTx, server: Pick<ServerRow, 'projectId' | 'userId' | 'vcpus' | 'memoryMib'>): Promise<void> {
  for (const [resource, size] of [['instances', 1], ['cores', server.vcpus], ['ram', server.memoryMib]] as const) {
    await count(tx, usedPrefix(server.projectId, '') + resource, -size)
    await count(tx, usedPrefix(server.projectId, server.userId) + resource, -size)
  }
}

/** Counts a server group in or out; false when there is no room for one more. */
export const countGroup = async (tx: ComputeTx, owner: Owner, by: 1 | -1): Promise<boolean> =>
  await count(tx, `${usedPrefix(owner.projectId, '')}server_groups`, by, by > 0 ? await limitOf(tx, owner.projectId, 'server_groups') : -1)
