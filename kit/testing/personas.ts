// The personas of the access tests as users of a real identity: their projects, domain, grants and tokens.
import { scopedPersonas, scopedRoles, type AnyPersona } from './access.ts'

export interface PersonaUsers {
  tokens: Map<AnyPersona, string>
  users: Map<AnyPersona, string>
  projectId: string
  otherProjectId: string
  otherDomainId: string
}

export interface PersonaMaker {
  /** An operation of identity as the administrator; throws unless it succeeds, answers the body. */
  admin(operation: string, call: object): Promise<any>
  login(userId: string, password: string, scope: object): Promise<string>
  roleIds: Record<string, string>
  /** Those of domains and the system too, and the domain they need. */
  scoped: boolean
}

/** Makes them all, the administrator apart: he is there already. */
export async function makePersonas({ admin, login, roleIds, scoped }: PersonaMaker): Promise<PersonaUsers> {
  const tokens = new Map<AnyPersona, string>(), users = new Map<AnyPersona, string>()
  const project = async (name: string): Promise<string> => (await admin('createProject', { body: { project: { name } } })).project.id
  const projectId = await project('ours'), otherProjectId = await project('theirs')
  const otherDomainId: string = !scoped ? '' : (await admin('createDomain', { body: { domain: { name: 'elsewhere' } } })).domain.id
  const settle = async (persona: AnyPersona, domainId: string, grant: string, params: Record<string, string>, scope: object): Promise<void> => {
    const password = `${persona}-password`
    const userId: string = (await admin('createUser', { body: { user: { name: persona, password, domain_id: domainId } } })).user.id
    await admin(grant, { params: { ...params, user_id: userId } })
    users.set(persona, userId)
    tokens.set(persona, await login(userId, password, scope))
  }
  const ofProjects = [
    ['reader', 'reader', projectId], ['member', 'member', projectId], ['manager', 'manager', projectId], ['other', 'member', otherProjectId],
  ] as const
  for (const [persona, role, home] of ofProjects) {
    await settle(persona, 'default', 'createProjectUserGrant', { project_id: home, role_id: roleIds[role]! }, { project: { id: home } })
  }
  if (scoped) for (const persona of scopedPersonas) {
    const { role, on } = scopedRoles[persona], domainId = on === 'otherDomain' ? otherDomainId : 'default', role_id = roleIds[role]!
    if (on === 'system') await settle(persona, 'default', 'createSystemUserGrant', { role_id }, { system: { all: true } })
    else await settle(persona, domainId, 'createDomainUserGrant', { domain_id: domainId, role_id }, { domain: { id: domainId } })
  }
  return { tokens, users, projectId, otherProjectId, otherDomainId }
}
