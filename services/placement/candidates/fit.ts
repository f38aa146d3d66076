// What one provider can do for one group.
import type { Group } from './request.ts'
import type { Provider } from './world.ts'

/** Whether so much of a class is free there, and may be taken at once. */
export function hasRoom(provider: Provider, resourceClass: string, amount: number): boolean {
  const stock = provider.inventories.get(resourceClass)
  return stock !== undefined && provider.used[stock.at]! + amount <= stock.capacity && amount >= stock.minUnit && amount <= stock.maxUnit && amount % stock.stepSize === 0
}
/** None of the names is in the set. */
export const hasNone = (set: ReadonlySet<string>, names: readonly string[]): boolean => names.every((name) => !set.has(name))
/** Of each list one name at least is in the set. */
export const hasOneOfEach = (set: ReadonlySet<string>, lists: readonly (readonly string[])[]): boolean => lists.every((any) => any.some((name) => set.has(name)))

/** A granular group is served by one provider, which has all of it. */
export const servesAll = (p: Provider, group: Group, inTreeRoot: string | undefined): boolean =>
  (group.inTree === undefined || p.rootId === inTreeRoot)
  && group.resources.every(([resourceClass, amount]) => hasRoom(p, resourceClass, amount))
  && hasOneOfEach(p.traits, group.required) && hasNone(p.traits, group.forbidden) && hasOneOfEach(p.aggregates, group.memberOf) && hasNone(p.aggregates, group.notMemberOf)

/** The group without a suffix takes each resource where it is: in the tree (what the root is a member of, the whole tree is), or from who shares with it. Its required traits are
 * those of all its providers together. */
export const servesOne = (p: Provider, root: Provider, resourceClass: string, amount: number, group: Group, inTreeRoot: string | undefined): boolean =>
  (group.inTree === undefined || (p.rootId === inTreeRoot && p.rootId === root.id))
  && hasRoom(p, resourceClass, amount) && hasNone(p.traits, group.forbidden)
  && (hasOneOfEach(p.aggregates, group.memberOf) || (p.rootId === root.id && hasOneOfEach(root.aggregates, group.memberOf)))
  && hasNone(p.aggregates, group.notMemberOf) && hasNone(root.aggregates, group.notMemberOf)
