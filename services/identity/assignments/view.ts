import type { Listed } from './effective.ts'
import type { Name } from './store.ts'

/** What the ids of a list are called. */
export interface Names { users: Map<string, Name>, groups: Map<string, Name>, roles: Map<string, Name>, projects: Map<string, Name> }

const withDomain = (known: Map<string, Name> | undefined, domains: Map<string, Name> | undefined, id: string): object => {
  if (!known) return { id }
  const found = known.get(id)
  if (!found) return { id, name: '' }
  return { id, name: found.name, ...(found.domainId && { domain: { id: found.domainId, name: domains?.get(found.domainId)?.name ?? '' } }) }
}

/** https://docs.openstack.org/api-ref/identity/v3/#list-role-assignments */
export function assignmentView(row: Listed, api: string, names: Names | undefined): object {
  const scopeOf = (): object => {
    if (row.targetType === 'system') return { system: { all: true } }
    if (row.targetType === 'domain') return { domain: names ? { id: row.targetId, name: names.projects.get(row.targetId)?.name ?? '' } : { id: row.targetId } }
    return { project: withDomain(names?.projects, names?.projects, row.targetId) }
  }
  const inherited = row.inherited === 1 || row.viaTarget !== undefined
  const source = row.viaTarget ?? { type: row.targetType, id: row.targetId }
  const where = source.type === 'system' ? '/system' : `/${source.type}s/${source.id}`
  const actor = row.viaGroupId ? `groups/${row.viaGroupId}` : `${row.actorType}s/${row.actorId}`
  const assignment = `${api}${inherited ? '/OS-INHERIT' : ''}${where}/${actor}/roles/${row.viaPriorRoleId ?? row.roleId}${inherited ? '/inherited_to_projects' : ''}`
  return {
    role: withDomain(names?.roles, names?.projects, row.roleId),
    scope: { ...scopeOf(), ...(inherited && { 'OS-INHERIT:inherited_to': 'projects' }) },
    [row.actorType]: withDomain(row.actorType === 'user' ? names?.users : names?.groups, names?.projects, row.actorId),
    links: {
      assignment,
      ...(row.viaGroupId && { membership: `${api}/groups/${row.viaGroupId}/users/${row.actorId}` }),
      ...(row.viaPriorRoleId && { prior_role: `${api}/prior_role/${row.viaPriorRoleId}/implies/${row.roleId}` }),
    },
  }
}
