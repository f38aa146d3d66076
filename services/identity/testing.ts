// Identity with real tokens for tests: seeded, cheap passwords, the personas as users.
import type { StoreConfig } from '#kit/store/store.ts'
import type { AnyPersona } from '#kit/testing/access.ts'
import { startApi, type TestApi } from '#kit/testing/api.ts'
import { makePersonas } from '#kit/testing/personas.ts'
import { authenticate } from './authenticate.ts'
import { identityDeps, type Deps, type DepsSetup } from './deps.ts'
import { cheap } from './passwords/hasher.ts'
import { seed, type Seeded } from './seed.ts'
import { identity } from './service.ts'

export interface IdentityApi extends TestApi {
  deps: Deps
  seeded: Seeded
  /** A token by password; scoped as said, unscoped when not. Throws unless it is issued. */
  token(user: { name?: string, id?: string, password: string }, scope?: object | string): Promise<string>
  adminToken: string
  /** An operation as the administrator; throws unless it succeeds, answers the body. */
  admin(operation: string, call: object): Promise<any>
  /** A user with a role in a project of his own. */
  inhabitant(role?: string): Promise<Inhabitant>
  as(persona: AnyPersona): string | undefined
  userId(persona: AnyPersona): string
  projectId: string
  otherProjectId: string
  otherDomainId: string
}

export interface Inhabitant {
  id: string
  name: string
  password: string
  projectId: string
  /** What names his grant. */
  grant: { params: Record<string, string> }
  /** By default for his project. */
  token(scope?: object | string): Promise<string>
}

export const adminPassword = 'the-admins-password'

/** `scoped`: with the personas of domains and the system, and the domain they need. */
export async function startIdentity({ quiet = false, scoped = false, database, ...over }: Partial<DepsSetup> & { quiet?: boolean, scoped?: boolean, database?: StoreConfig } = {}): Promise<IdentityApi> {
  let deps!: Deps, seeded!: Seeded
  const api = await startApi({
    authenticate: (token, ctx) => authenticate(deps, () => `${api.publicUrl}/identity`)(token, ctx), quiet, ...(database && { database }),
    services: [{
      module: identity,
      deps: async ({ store, tracer, publicUrl }) => {
        seeded = await seed(store, {
          passwords: { admin: adminPassword, demo: 'the-demo-password' }, passwordCost: cheap,
          endpoints: [{ type: 'identity', name: 'keystone', url: `${publicUrl}/identity` }, { type: 'volumev3', name: 'cinderv3', url: `${publicUrl}/volume/v3/%(project_id)s` }],
        })
        return deps = await identityDeps({ store, tracer, passwordCost: cheap, sealKey: Buffer.alloc(32, 7), ...over })
      },
    }],
  })
  const token: IdentityApi['token'] = async ({ password, ...who }, scope) => {
    const user = who.id ? { id: who.id, password } : { name: who.name, domain: { id: 'default' }, password }
    const reply = await api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['password'], password: { user } }, ...(scope !== undefined && { scope }) } } })
    if (reply.status !== 201) throw new Error(`no token: ${reply.status} ${JSON.stringify(reply.body)}`)
    return reply.headers.get('x-subject-token')!
  }
  const adminToken = await token({ name: 'admin', password: adminPassword }, { project: { id: seeded.adminProjectId } })
  const must = async (operation: string, call: object) => {
    const answer = await api.call<any>(adminToken, 'identity', operation, call)
    if (answer.status >= 300) throw new Error(`${operation}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  let names = 0
  const inhabitant = async (role = 'member'): Promise<Inhabitant> => {
    const name = `inhabitant-${++names}`
    const user = (await must('createUser', { body: { user: { name, password: name } } })).user, project = (await must('createProject', { body: { project: { name } } })).project
    const grant = { params: { project_id: project.id as string, user_id: user.id as string, role_id: seeded.roleIds[role]! } }
    await must('createProjectUserGrant', grant)
    return { id: user.id, name, password: name, projectId: project.id, grant, token: (scope = { project: { id: project.id } }) => token({ id: user.id, password: name }, scope) }
  }
  const { tokens, users, ...homes } = await makePersonas({ scoped, admin: must, login: (id, password, scope) => token({ id, password }, scope), roleIds: seeded.roleIds })
  tokens.set('admin', adminToken)
  users.set('admin', seeded.adminUserId)
  return { ...api, ...homes, deps, seeded, token, adminToken, admin: must, inhabitant, as: (p) => tokens.get(p), userId: (p) => users.get(p) ?? 'nobody' }
}
