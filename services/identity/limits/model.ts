// The two enforcement models: whether a project's limit has to fit below its domain's.
import { forbidden } from '#base/errors.ts'
import type { LimitRow, RegisteredLimitRow } from './schema.ts'

export type EnforcementModel = 'flat' | 'strict_two_level'
/** The models as `GET /limits/model` describes them. */
export const models: Record<EnforcementModel, { description: string, /** Levels of the tree, the domain's counted. */ maxDepth?: number }> = {
  flat: { description: 'Limit enforcement and validation does not take project hierarchy into consideration.' },
  strict_two_level: { description: 'This model requires project hierarchy never exceeds a depth of two', maxDepth: 2 },
}

/** -1 is no limit at all. */
const exceeds = (value: number, bound: number): boolean => bound !== -1 && (value === -1 || value > bound)

/** Throws the 403 for the first of the changed limits that does not fit into the tree as it will stand. `all` is that tree, `parentOf` a project's domain. */
export function checkTree(changed: LimitRow[], all: LimitRow[], registered: Map<string, RegisteredLimitRow>, parentOf: (projectId: string) => string | undefined): void {
  const misfit = (limit: LimitRow): Error => {
    const about = registered.get(limit.registeredLimitId)!
    const owner = limit.projectId ? `project_id: ${limit.projectId}` : `domain_id: ${limit.domainId}`
    return forbidden(`Invalid resource limit: The resource limit (${owner}, resource_name: ${about.resourceName}, `
      + `resource_limit: ${limit.resourceLimit}, service_id: ${about.serviceId}, region_id: ${about.regionId || null}) doesn't satisfy current hierarchy model.`)
  }
  for (const limit of changed) {
    const tree = all.filter((other) => other.registeredLimitId === limit.registeredLimitId)
    if (limit.projectId) {
      const parent = parentOf(limit.projectId)
      const above = tree.find((other) => other.domainId !== '' && other.domainId === parent)?.resourceLimit ?? registered.get(limit.registeredLimitId)!.defaultLimit
      if (exceeds(limit.resourceLimit, Number(above))) throw misfit(limit)
    } else {
      const below = tree.filter((other) => other.projectId !== '' && parentOf(other.projectId) === limit.domainId)
      if (below.some((other) => exceeds(Number(other.resourceLimit), limit.resourceLimit))) throw misfit(limit)
    }
  }
}
