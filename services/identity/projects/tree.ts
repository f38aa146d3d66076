// A project's place in its domain's tree, in the two shapes keystone shows: lists, and ids nested in one another.
import type { TaggedProject } from './store.ts'

/** Ids below ids; null below a leaf. */
export interface IdTree { [id: string]: IdTree | null }

/** Above a project, nearest first; its domain is not one of them. */
export function parentsOf(project: TaggedProject, all: Map<string, TaggedProject>): TaggedProject[] {
  const parents: TaggedProject[] = []
  const above = ({ parentId }: TaggedProject): TaggedProject | undefined => (parentId ? all.get(parentId) : undefined)
  for (let up = above(project); up && parents.length <= all.size; up = above(up)) parents.push(up)
  return parents
}

/** By their parent's id. */
export function childrenOf(all: Iterable<TaggedProject>): Map<string, TaggedProject[]> {
  const children = new Map<string, TaggedProject[]>()
  for (const p of all) if (p.parentId) children.set(p.parentId, [...(children.get(p.parentId) ?? []), p])
  return children
}

/** All below it, itself not among them. */
export const subtreeOf = (id: string, children: Map<string, TaggedProject[]>): TaggedProject[] =>
  (children.get(id) ?? []).flatMap((child) => [child, ...subtreeOf(child.id, children)])

/** The domain is the root; what acts as one has none. */
export const parentIds = (parents: TaggedProject[], domainId: string): IdTree | null =>
  parents.reduceRight<IdTree | null>((above, p) => ({ [p.id]: above }), domainId ? { [domainId]: null } : null)

export function subtreeIds(id: string, children: Map<string, TaggedProject[]>): IdTree | null {
  const below = children.get(id)
  return below ? Object.fromEntries(below.map((child) => [child.id, subtreeIds(child.id, children)])) : null
}
