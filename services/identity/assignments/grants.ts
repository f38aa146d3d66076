// Grants: a user or group gets a role on a project, a domain or the system. Twenty-four operations of one shape, and as many
// of OS-INHERIT: https://docs.openstack.org/api-ref/identity/v3/#roles
import { badRequest, forbidden, notFound } from '#base/errors.ts'
import type { Method, Operation } from '#kit/http/operation.ts'
import { anyone, type Rule } from '#kit/policy/rules.ts'
import { operation, type Deps, type IdentityTx } from '../deps.ts'
import { missing } from '../faults.ts'
import { collection } from '../fields.ts'
import * as groups from '../groups/store.ts'
import type { GrantTarget } from '../policy.ts'
import * as projects from '../projects/store.ts'
import { roleView } from '../roles/view.ts'
import * as roles from '../roles/store.ts'
import type { ActorType, RoleRow, TargetType } from '../schema.ts'
import * as users from '../users/store.ts'
import * as policy from './policy.ts'
import * as assignments from './store.ts'

interface Grant { place: assignments.Place, role?: RoleRow, actorDomainId: string | null, targetDomainId: string | null }

const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1)
const roleMissing = ({ place, role }: Grant): Error =>
  notFound(`Could not find role assignment with role: ${role!.id}, user or group: ${place.actorId}, project, domain, or system: ${place.targetId}.`)

async function load(tx: IdentityTx, kind: { actor: ActorType, target: TargetType, inherited: boolean, revoking: boolean }, params: Record<string, string>): Promise<Grant> {
  const actorId = params[`${kind.actor}_id`]!, targetId = kind.target === 'system' ? 'system' : params[`${kind.target}_id`]!
  const actor = kind.actor === 'user' ? await users.find(tx, actorId) : await groups.find(tx, actorId)
  // A grant to somebody who is gone elsewhere can still be taken away.
  if (!actor && !kind.revoking) throw missing(kind.actor, actorId)
  const find = kind.target === 'domain' ? projects.findDomain : projects.find
  const target = kind.target === 'system' ? undefined : await find(tx, targetId)
  if (!target && kind.target !== 'system') throw missing(kind.target, targetId)
  const role = params.role_id === undefined ? undefined : await roles.find(tx, params.role_id)
  if (!role && params.role_id !== undefined) throw missing('role', params.role_id)
  return {
    place: { actorType: kind.actor, actorId, targetType: kind.target, targetId, inherited: kind.inherited ? 1 : 0 }, ...(role && { role }),
    actorDomainId: actor?.domainId ?? null, targetDomainId: target ? target.domainId || target.id : null,
  }
}

function grantsOf(actor: ActorType, target: TargetType, inherited: boolean): Operation<Deps>[] {
  const where = target === 'system' ? '/system' : `/${target}s/{${target}_id}`
  const list = `${inherited ? '/OS-INHERIT' : ''}${where}/${actor}s/{${actor}_id}/roles`
  const one = `${list}/{role_id}`, tail = inherited ? '/inherited_to_projects' : ''
  const about = `${capital(target)}${capital(actor)}${inherited ? 'Inherited' : ''}`
  const read = target === 'system' ? policy.readSystemGrant : policy.readGrant
  const change = target === 'system' ? policy.changeSystemGrant : policy.changeGrant
  const targetOf = (sees: Rule, revoking = false) => ({
    load: (_ctx: unknown, params: Record<string, string>, { store }: Deps): Promise<Grant> => store.read((tx) => load(tx, { actor, target, inherited, revoking }, params)),
    sees,
    owner: ({ role, actorDomainId, targetDomainId }: Grant): GrantTarget => ({ actorDomainId, targetDomainId, ...(role && { roleName: role.name, roleDomainId: role.domainId }) }),
    missing: (params: Record<string, string>) => missing(target, params[`${target}_id`] ?? 'system'),
  })
  const check = (method: Method, name: string): Operation<Deps> => operation({
    name: `${name}${about}Grant`, method, path: one + tail, summary: `Tell whether a ${actor} has a role on a ${target}.`, status: 204, access: read, target: targetOf(read),
    async handle(_ctx, { target: grant }, { store }) {
      if (!await store.read((tx) => assignments.has(tx, grant.place, grant.role!.id))) throw roleMissing(grant)
    },
  })
  return [
    operation({
      name: `list${about}Grants`, method: 'GET', path: list + tail, summary: `List a ${actor}'s roles on a ${target}.`, access: read, target: targetOf(read),
      async handle(_ctx, { target: grant, urls }, { store }) {
        return collection('roles', await store.read((tx) => assignments.rolesAt(tx, grant.place)), (role) => roleView(role, urls.api), urls)
      },
    }),
    check('HEAD', 'check'), check('GET', 'show'),
    operation({
      name: `create${about}Grant`, method: 'PUT', path: one + tail, summary: `Give a ${actor} a role on a ${target}.`, status: 204, access: change, target: targetOf(anyone),
      faults: target === 'system' ? ['badRequest'] : [],
      async handle(_ctx, { target: grant }, { store }) {
        const role = grant.role!
        // As in keystone: a domain's role is for that domain's projects and for any domain; the system is no domain's.
        if (role.domainId && target === 'system') {
          throw badRequest(`Role ${role.id} is a domain-specific role. Unable to use a domain-specific role in a system assignment.`)
        }
        if (role.domainId && target === 'project' && role.domainId !== grant.targetDomainId) {
          throw forbidden(`Project ${grant.place.targetId} must be in the same domain as the role ${role.id} being assigned.`)
        }
        await store.tx((tx) => assignments.grant(tx, { ...grant.place, roleId: role.id }))
      },
    }),
    operation({
      name: `revoke${about}Grant`, method: 'DELETE', path: one + tail, summary: `Take a role on a ${target} from a ${actor}.`, access: change, target: targetOf(anyone, true),
      async handle(_ctx, { target: grant }, { store }) {
        if (!await store.tx((tx) => assignments.revoke(tx, { ...grant.place, roleId: grant.role!.id }))) throw roleMissing(grant)
      },
    }),
  ]
}

const actors = ['user', 'group'] as const
/** All the operations on `…/roles/{role_id}`, and OS-INHERIT's. */
export const grants: Operation<Deps>[] = [
  ...(['project', 'domain', 'system'] as const).flatMap((target) => actors.flatMap((actor) => grantsOf(actor, target, false))),
  ...(['project', 'domain'] as const).flatMap((target) => actors.flatMap((actor) => grantsOf(actor, target, true))),
]
