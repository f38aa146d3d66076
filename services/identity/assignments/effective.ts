// What assignments come to: groups dissolved into users, inherited roles on the projects below, implied roles beside their priors.
import { impliedBy, type Inference } from '../roles/store.ts'
import type { AssignmentRow } from '../schema.ts'
import type { TreeNode } from './store.ts'

/** An assignment as it is listed, with where it comes from. */
export interface Listed extends AssignmentRow {
  viaGroupId?: string
  /** The project or domain it is inherited from. */
  viaTarget?: { type: 'project' | 'domain', id: string }
  viaPriorRoleId?: string
}

/** `members`: the users of each group. `tree`: all projects and domains. */
export function expand(rows: AssignmentRow[], members: Map<string, string[]>, tree: TreeNode[], inferences: Inference[]): Listed[] {
  const children = new Map<string, string[]>()
  for (const { id, parentId, isDomain } of tree) if (parentId && !isDomain) children.set(parentId, [...(children.get(parentId) ?? []), id])
  const below = (id: string): string[] => (children.get(id) ?? []).flatMap((child) => [child, ...below(child)])

  const placed = rows.flatMap((row): Listed[] => {
    if (!row.inherited) return [row]
    const viaTarget = { type: row.targetType as 'project' | 'domain', id: row.targetId }
    return below(row.targetId).map((id) => ({ ...row, targetType: 'project', targetId: id, inherited: 0, viaTarget }))
  })
  const personal = placed.flatMap((row): Listed[] => (row.actorType === 'group'
    ? (members.get(row.actorId) ?? []).map((userId) => ({ ...row, actorType: 'user' as const, actorId: userId, viaGroupId: row.actorId }))
    : [row]))
  return personal.flatMap((row) => [row, ...[...impliedBy(row.roleId, inferences)].map((roleId): Listed => ({ ...row, roleId, viaPriorRoleId: row.roleId }))])
}
