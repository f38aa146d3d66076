import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { freshGroup } from '../groups/access.ts'
import { freshProject } from '../projects/access.ts'
import { freshRole } from '../roles/access.ts'
import { freshUser } from '../users/access.ts'
import { verdicts } from '../testing/verdicts.ts'

const kinds = (['Project', 'Domain', 'System'] as const).flatMap((target) =>
  (['User', 'Group'] as const).flatMap((actor) =>
    (target === 'System' ? [''] : ['', 'Inherited']).map((inherited) => ({ target, actor, inherited }))))

const casesOf = ({ target, actor, inherited }: (typeof kinds)[number]): AccessCase[] => {
  const about = `${target}${actor}${inherited}`
  const request = async (w: AccessWorld) => ({ params: {
    project_id: w.projectId, domain_id: w.domainId, role_id: await freshRole(w), ...(actor === 'User' ? { user_id: (await freshUser(w)).id } : { group_id: await freshGroup(w) }),
  } as Record<string, string> })
  const granted = async (w: AccessWorld) => {
    const call = await request(w)
    await w.call('admin', 'identity', `create${about}Grant`, call)
    return call
  }
  const read = target === 'System' ? verdicts.systemReader : verdicts.domainReader
  // Domain managers may hand out but a few roles, and this is none of them.
  const change = target === 'System' ? verdicts.admin(204) : verdicts.anyAdmin(204)
  return [
    { operation: `list${about}Grants`, request, expect: read(200) },
    { operation: `check${about}Grant`, request: granted, expect: read(204) },
    { operation: `show${about}Grant`, request: granted, expect: read(204) },
    { operation: `create${about}Grant`, request, expect: change },
    { operation: `revoke${about}Grant`, request: granted, expect: change },
  ]
}

const modest = async (w: AccessWorld) => {
  const [role] = (await w.call('admin', 'identity', 'listRoles', { query: { name: 'member' } })).body.roles
  return { params: { project_id: await freshProject(w), role_id: role.id as string, user_id: (await freshUser(w)).id } }
}

export const access: AccessCase[] = [
  { operation: 'listRoleAssignments', expect: verdicts.domainListing() },
  { operation: 'createProjectUserGrant', about: 'of a role that domain managers may hand out', request: modest,
    expect: { ...verdicts.domainManager(204), otherDomainManager: 403 } },
  ...kinds.flatMap(casesOf),
]
