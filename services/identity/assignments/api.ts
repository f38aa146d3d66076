// https://docs.openstack.org/api-ref/identity/v3/#list-role-assignments
import type { Actor } from '#base/context.ts'
import { badRequest } from '#base/errors.ts'
import { lenient, Type } from '#kit/http/schema.ts'
import { operation, type IdentityTx } from '../deps.ts'
import { missing } from '../faults.ts'
import { isOn } from '../fields.ts'
import { adminRequired } from '../policy.ts'
import * as projects from '../projects/store.ts'
import * as roles from '../roles/store.ts'
import type { ActorType, TargetType } from '../schema.ts'
import { expand, type Listed } from './effective.ts'
import * as policy from './policy.ts'
import * as assignments from './store.ts'
import { assignmentView, type Names } from './view.ts'

/** The query, understood. */
interface Asked {
  userId?: string
  groupId?: string
  roleId?: string
  projectId?: string
  domainId?: string
  system: boolean
  /** Of the projects below `projectId`, too. */
  subtree: boolean
  inherited?: boolean
  /** What the assignments come to, instead of what was assigned. */
  effective: boolean
}

/** A constant number of queries, whatever is asked. */
async function find(tx: IdentityTx, asked: Asked): Promise<Listed[]> {
  const tree = asked.effective || asked.subtree ? await assignments.tree(tx) : []
  const byId = new Map(tree.map((node) => [node.id, node]))
  const isBelow = (id: string, root: string): boolean => {
    for (let at = byId.get(id), steps = 0; at && steps < 100; at = at.parentId ? byId.get(at.parentId) : undefined, steps++) if (at.id === root) return true
    return false
  }
  // The projects the answer may speak of.
  const projectsAsked = (root: string): string[] => (asked.subtree ? tree.filter((n) => !n.isDomain && isBelow(n.id, root)).map((n) => n.id) : [root])
  const projectIds = asked.projectId === undefined ? undefined : projectsAsked(asked.projectId)
  const targets: { type: TargetType, ids: string[] }[] = []
  if (projectIds) {
    targets.push({ type: 'project', ids: projectIds })
    if (asked.effective) {
      const above = new Set<string>()
      for (const id of projectIds) for (let up = byId.get(id)?.parentId; up && !above.has(up); up = byId.get(up)?.parentId) above.add(up)
      targets.push({ type: 'project', ids: [...above] }, { type: 'domain', ids: [...above] })
    }
  }
  if (asked.domainId !== undefined) targets.push({ type: 'domain', ids: [asked.domainId] })
  if (asked.system) targets.push({ type: 'system', ids: ['system'] })

  const actorIds: { type: ActorType, ids: string[] }[] = []
  if (asked.userId !== undefined) {
    actorIds.push({ type: 'user', ids: [asked.userId] })
    if (asked.effective) actorIds.push({ type: 'group', ids: await assignments.groupsOf(tx, asked.userId) })
  }
  if (asked.groupId !== undefined) actorIds.push({ type: 'group', ids: [asked.groupId] })
  const rows = await assignments.list(tx, {
    ...(actorIds.length > 0 && { actorIds }), ...(targets.length > 0 && { targets }), ...(asked.inherited !== undefined && { inherited: asked.inherited }),
    // An effective role may come from another that implies it.
    ...(asked.roleId !== undefined && !asked.effective && { roleIds: [asked.roleId] }),
  })
  if (!asked.effective) return rows
  const groupIds = rows.filter((r) => r.actorType === 'group').map((r) => r.actorId)
  // Who is asked about is in all of these groups: they were looked up by him.
  const members = asked.userId === undefined ? await assignments.members(tx, groupIds) : new Map(groupIds.map((id) => [id, [asked.userId!]]))
  // Roles special to a domain never come into a token: only what they imply does.
  const special = await roles.special(tx)
  return expand(rows, members, tree, await roles.inferences(tx)).filter((row) => !special.has(row.roleId)
    && (asked.roleId === undefined || row.roleId === asked.roleId) && (!projectIds || (row.targetType === 'project' && projectIds.includes(row.targetId)))
    && (asked.domainId === undefined || row.targetType === 'domain'))
}

async function namesOf(tx: IdentityTx, rows: Listed[]): Promise<Names> {
  const of = (type: ActorType) => rows.filter((r) => r.actorType === type).map((r) => r.actorId)
  const users = await assignments.names(tx, 'identityUsers', of('user'))
  const groups = await assignments.names(tx, 'identityGroups', of('group'))
  const roleNames = await assignments.names(tx, 'identityRoles', rows.map((r) => r.roleId))
  const projects = await assignments.names(tx, 'identityProjects', rows.map((r) => r.targetId))
  const domains = [users, groups, roleNames, projects].flatMap((known) => [...known.values()].map((n) => n.domainId)).filter((id) => id !== '' && !projects.has(id))
  return { users, groups, roles: roleNames, projects: new Map([...projects, ...await assignments.names(tx, 'identityProjects', domains)]) }
}

/** A tree is asked about by its root, which has to be there for who asks. */
async function checkRoot(tx: IdentityTx, id: string, actor: Actor): Promise<void> {
  const root = await projects.find(tx, id)
  if (!root || !(actor.domainId === undefined || adminRequired.allows(actor) || (root.isDomain ? root.id : root.domainId) === actor.domainId)) throw missing('project', id)
}

export const listAssignments = operation({
  name: 'listRoleAssignments', method: 'GET', path: '/role_assignments', summary: 'List who has which role where.', access: policy.listAssignments,
  query: lenient({
    'user.id': Type.Optional(Type.String()), 'group.id': Type.Optional(Type.String()), 'role.id': Type.Optional(Type.String()), 'scope.project.id': Type.Optional(Type.String()),
    'scope.domain.id': Type.Optional(Type.String()), 'scope.system': Type.Optional(Type.String()), 'scope.OS-INHERIT:inherited_to': Type.Optional(Type.String()),
    effective: Type.Optional(Type.String()), include_names: Type.Optional(Type.String()), include_subtree: Type.Optional(Type.String()),
  }),
  faults: ['notFound'],
  async handle({ actor }, { query, urls }, { store }) {
    const asked: Asked = {
      userId: query['user.id'] || undefined, groupId: query['group.id'] || undefined, roleId: query['role.id'] || undefined,
      projectId: query['scope.project.id'] || undefined, domainId: query['scope.domain.id'] || undefined,
      system: query['scope.system'] !== undefined && query['scope.system'] !== '', subtree: isOn(query.include_subtree), effective: isOn(query.effective),
      ...(query['scope.OS-INHERIT:inherited_to'] !== undefined && { inherited: query['scope.OS-INHERIT:inherited_to'] === 'projects' }),
    }
    if (asked.domainId && asked.projectId) throw badRequest('Specify a domain or project, not both')
    if (asked.domainId && asked.system) throw badRequest('Specify system or domain, not both')
    if (asked.projectId && asked.system) throw badRequest('Specify system or project, not both')
    if (asked.userId && asked.groupId) throw badRequest('Specify a user or group, not both')
    if (asked.effective && asked.groupId) throw badRequest('Combining effective and group filter will always result in an empty list.')
    if (asked.effective && asked.inherited && asked.domainId) throw badRequest('Combining effective, domain and inherited filters will always result in an empty list.')
    if (asked.subtree && !asked.projectId) throw badRequest('scope.project.id must be specified if include_subtree is also specified')
    const { rows, names } = await store.read(async (tx) => {
      if (asked.subtree) await checkRoot(tx, asked.projectId!, actor)
      let rows = await find(tx, asked)
      if (actor.domainId !== undefined) {
        // With a domain's token one sees what concerns that domain.
        const domainOf = new Map((await assignments.tree(tx)).map((n) => [n.id, n.isDomain ? n.id : n.domainId]))
        rows = rows.filter((r) => domainOf.get(r.targetId) === actor.domainId)
      }
      return { rows, names: isOn(query.include_names) ? await namesOf(tx, rows) : undefined }
    })
    const base = `${urls.api}/role_assignments`
    const self = urls.search.size > 0 ? `${base}?${urls.search}` : base
    return { role_assignments: rows.map((row) => assignmentView(row, urls.api, names)), links: { self, previous: null, next: null } }
  },
})
