// The first inhabitants of a cloud. Run at every start: what stands already is left as it is, the catalogue's URLs apart.
import { newHexId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { insertIfAbsent } from '#kit/store/rows.ts'
import type { Store } from '#kit/store/store.ts'
import { exactly } from './lists-store.ts'
import * as assignments from './assignments/store.ts'
import * as catalog from './catalog/store.ts'
import type { IdentityTx } from './deps.ts'
import { createPasswords, type PasswordCost } from './passwords/hasher.ts'
import * as projects from './projects/store.ts'
import * as roles from './roles/store.ts'
import * as users from './users/store.ts'
import type { IdentityTables } from './schema.ts'

/** A service of the catalogue with its one URL. */
export interface SeedEndpoint {
  /** `compute`, `image`, `network` … */
  type: string
  name: string
  /** May hold `%(project_id)s`. */
  url: string
  description?: string
}
/** What a new cloud begins with. */
export interface SeedSetup {
  /** For those who do not exist yet; unused otherwise. */
  passwords: { admin: string, demo: string }
  region?: string
  endpoints: SeedEndpoint[]
  passwordCost?: PasswordCost
}
/** What stands once it has run. */
export interface Seeded {
  domainId: string
  regionId: string
  adminProjectId: string
  demoProjectId: string
  adminUserId: string
  demoUserId: string
  /** By name. */
  roleIds: Record<string, string>
}

/** Each implies the next. `service` stands apart. */
const ladder = ['admin', 'manager', 'member', 'reader'] as const

/** Idempotent; two processes may run it at once. */
export async function seed(anyStore: Store, setup: SeedSetup): Promise<Seeded> {
  const store = anyStore.as<IdentityTables>(), regionId = setup.region ?? 'RegionOne'
  const passwords = createPasswords(setup.passwordCost)
  // Hashing is slow and done outside the transaction, and only for whom it is needed.
  const hashFor = async (name: 'admin' | 'demo'): Promise<string | null> =>
    ((await store.read((tx) => users.list(tx, { name, domainId: 'default' }))).length > 0 ? null : passwords.hash(setup.passwords[name]))
  const hashes = { admin: await hashFor('admin'), demo: await hashFor('demo') }

  return store.tx(async (tx) => {
    await insertIfAbsent(tx, 'identityProjects', {
      id: 'default', name: 'Default', domainId: '', parentId: null, isDomain: 1, enabled: 1,
      description: 'The default domain', options: '{}', extra: '{}', generation: 0, createdAt: now(),
    })
    const roleIds: Record<string, string> = {}
    for (const name of [...ladder, 'service']) roleIds[name] = await seedRole(tx, name)
    for (const [i, name] of ladder.entries()) if (i > 0) await roles.imply(tx, { priorRoleId: roleIds[ladder[i - 1]!]!, impliedRoleId: roleIds[name]! })

    const projectId = async (name: string, description: string): Promise<string> => {
      const [found] = await projects.list(tx, { name, domainId: 'default', isDomain: false })
      if (found) return found.id
      const id = newHexId()
      await insertIfAbsent(tx, 'identityProjects', {
        id, name, domainId: 'default', parentId: 'default', isDomain: 0, enabled: 1, description, options: '{}', extra: '{}',
        generation: 0, createdAt: now(),
      })
      return id
    }
    const adminProjectId = await projectId('admin', 'The administrators\' project')
    const demoProjectId = await projectId('demo', 'A project to try things in')
    const userId = async (name: 'admin' | 'demo', home: string): Promise<string> => {
      const [found] = await users.list(tx, { name, domainId: 'default' })
      if (found) return found.id
      const id = newHexId()
      await insertIfAbsent(tx, 'identityUsers', {
        id, name, domainId: 'default', defaultProjectId: home, enabled: 1, passwordHash: hashes[name],
        passwordExpiresAt: null, options: '{}', extra: '{}', generation: 0, createdAt: now(),
      })
      const grant = (targetType: 'project' | 'system', targetId: string, role: string) =>
        assignments.grant(tx, { actorType: 'user', actorId: id, targetType, targetId, roleId: roleIds[role]!, inherited: 0 })
      if (name === 'admin') {
        await grant('project', adminProjectId, 'admin')
        await grant('project', demoProjectId, 'admin')
        await grant('system', 'system', 'admin')
      } else await grant('project', demoProjectId, 'member')
      return id
    }
    const adminUserId = await userId('admin', adminProjectId), demoUserId = await userId('demo', demoProjectId)
    await insertIfAbsent(tx, 'identityRegions', { id: regionId, description: '', parentRegionId: null, extra: '{}' })
    for (const endpoint of setup.endpoints) await seedEndpoint(tx, regionId, endpoint)
    return { domainId: 'default', regionId, adminProjectId, demoProjectId, adminUserId, demoUserId, roleIds }
  }, { durable: true })
}

async function seedRole(tx: IdentityTx, name: string): Promise<string> {
  const [found] = await roles.list(tx, { name, domainId: '' })
  if (found) return found.id
  const id = newHexId()
  await insertIfAbsent(tx, 'identityRoles', { id, name, domainId: '', description: null, options: '{"immutable":true}', extra: '{}', createdAt: now() })
  return id
}

/** One service of a type, its endpoint in the region for each interface; a public URL that changed is followed. */
async function seedEndpoint(tx: IdentityTx, regionId: string, wanted: SeedEndpoint): Promise<void> {
  const [service] = await catalog.listServices(tx, exactly({ type: wanted.type, name: wanted.name }))
  const serviceId = service?.id ?? newHexId()
  if (!service) await catalog.addService(tx, { id: serviceId, type: wanted.type, name: wanted.name, description: wanted.description ?? null, enabled: 1, extra: '{}' })
  const standing = await catalog.listEndpoints(tx, exactly({ serviceId, regionId }))
  for (const each of ['public', 'internal', 'admin'] as const) {
    const endpoint = standing.find((e) => e.interface === each)
    if (!endpoint) await catalog.addEndpoint(tx, { id: newHexId(), serviceId, regionId, interface: each, url: wanted.url, enabled: 1, extra: '{}' })
    else if (endpoint.url !== wanted.url) await catalog.saveEndpoint(tx, endpoint, { ...endpoint, url: wanted.url })
  }
}
