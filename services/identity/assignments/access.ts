import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'
import { freshGroup } from '../groups/access.ts'
import { freshRole } from '../roles/access.ts'
import { freshUser } from '../users/access.ts'

const kinds = (['Project', 'Domain', 'System'] as const).flatMap((target) => (['User', 'Group'] as const).flatMap((actor) => (target === 'System' ? [''] : ['', 'Inherited']).map((inherited) => ({ target, actor, inherited }))))

const casesOf = ({ target, actor, inherited }: (typeof kinds)[number]): AccessCase[] => {
  const about = `${target}${actor}${inherited}`
  const request = async (w: AccessWorld) => ({ params: {
    project_id: w.projectId, domain_id: w.domainId, role_id: await freshRole(w), ...(actor === 'User' ? { user_id: (await freshUser(w)).id } : { group_id: await freshGroup(w) }),
  } as Record<string, string> })
  const granted = async (w: AccessWorld) => { const call = await request(w); await w.call('admin', 'identity', `create${about}Grant`, call); return call }
  return [
    { operation: `list${about}Grants`, request, expect: verdicts.admin() },
    { operation: `check${about}Grant`, request: granted, expect: verdicts.admin(204) },
    { operation: `show${about}Grant`, request: granted, expect: verdicts.admin(204) },
    { operation: `create${about}Grant`, request, expect: verdicts.admin(204) },
    { operation: `revoke${about}Grant`, request: granted, expect: verdicts.admin(204) },
  ]
}

export const access: AccessCase[] = [{ operation: 'listRoleAssignments', expect: verdicts.admin() }, ...kinds.flatMap(casesOf)]
