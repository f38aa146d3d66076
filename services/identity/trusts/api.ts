// https://docs.openstack.org/api-ref/identity/v3-ext/#os-trust-api
import type { Context } from '#base/context.ts'
import { conflict, forbidden } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import type { Input } from '#kit/http/operation.ts'
import { exact, lenient, nullable, Type, type Static } from '#kit/http/schema.ts'
import { authenticated } from '#kit/policy/rules.ts'
import { flag } from '#kit/store/store.ts'
import { refuseApplicationCredentials } from '../delegation.ts'
import { operation, type Deps, type IdentityTx } from '../deps.ts'
import { missing, tooMany } from '../faults.ts'
import { collection, listQuery, pageOf, termsOf } from '../fields.ts'
import { countOf, exactly } from '../lists-store.ts'
import { futureInstant } from '../instants.ts'
import * as projects from '../projects/store.ts'
import * as roles from '../roles/store.ts'
import { roleView } from '../roles/view.ts'
import type { RoleRow, TrustRow } from '../schema.ts'
import { rolesOf } from '../tokens/standing-store.ts'
import * as users from '../users/store.ts'
import * as policy from './policy.ts'
import { checkRedelegation, depthOf, type Wish } from './redelegation.ts'
import * as trusts from './store.ts'
import { rolesLinks, trustView } from './view.ts'

const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store, clock }: Deps) => store.read((tx) => trusts.findUsable(tx, params.trust_id!, clock())),
  sees: policy.readTrust,
  owner: (row: TrustRow): policy.TrustTarget => ({ trustorUserId: row.trustorUserId, trusteeUserId: row.trusteeUserId }),
  missing: (params: Record<string, string>) => missing('trust', params.trust_id!),
}

const anId = Type.String({ minLength: 1, maxLength: 64 })
const roleRef = exact({ id: Type.Optional(anId), name: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) }, { minProperties: 1, maxProperties: 1 })
const roleRefs = Type.Array(roleRef, { maxItems: 100 })
const trustBody = lenient({
  trustor_user_id: anId, trustee_user_id: anId, impersonation: Type.Boolean(), project_id: Type.Optional(nullable(anId)), expires_at: Type.Optional(nullable(Type.String())),
  remaining_uses: Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }))), allow_redelegation: Type.Optional(nullable(Type.Boolean())),
  redelegation_count: Type.Optional(nullable(Type.Integer({ minimum: 0 }))), roles: Type.Optional(roleRefs),
})

async function roleIds(tx: IdentityTx, asked: Static<typeof roleRefs>): Promise<string[]> {
  const ids = new Set<string>()
  for (const { id, name } of asked) {
    const role = id !== undefined ? await roles.find(tx, id) : (await roles.list(tx, { name, domainId: '' }))[0]
    if (!role) throw missing('role', id ?? name!)
    ids.add(role.id)
  }
  return [...ids]
}

const rolesIn = async (tx: IdentityTx, row: TrustRow): Promise<RoleRow[]> => {
  const ids = new Set(JSON.parse(row.roleIds) as string[])
  return (await roles.all(tx)).filter((role) => ids.has(role.id))
}

export const createTrust = operation({
  name: 'createTrust', method: 'POST', path: '/OS-TRUST/trusts', summary: 'Lend roles of one\'s own on a project to another user.',
  status: 201, access: policy.createTrust, body: exact({ trust: trustBody }),
  faults: ['notFound', 'conflict'],
  async handle({ actor }, { body: { trust: asked }, urls }, { store, config, clock }) {
    refuseApplicationCredentials(actor)
    const projectId = asked.project_id ?? null
    if (projectId !== null && !asked.roles?.length) throw forbidden('You are not authorized to perform the requested action: At least one role should be specified.')
    if (actor.userId !== asked.trustor_user_id) throw forbidden('You are not authorized to perform the requested action: The authenticated user should match the trustor.')
    const expiresAt = asked.expires_at ? futureInstant(asked.expires_at, clock) : null
    const { row, named } = await store.tx(async (tx) => {
      if (!await users.find(tx, asked.trustee_user_id)) throw missing('user', asked.trustee_user_id)
      if (projectId !== null && !await projects.find(tx, projectId)) throw missing('project', projectId)
      const parentId = actor.delegation?.trustId
      const parent = parentId === undefined ? undefined : await trusts.findUsable(tx, parentId, clock())
      if (parentId !== undefined && !parent) throw missing('trust', parentId)
      const wish: Wish = {
        projectId, impersonation: asked.impersonation, expiresAt, remainingUses: asked.remaining_uses ?? null, roleIds: await roleIds(tx, asked.roles ?? []),
        allowRedelegation: asked.allow_redelegation ?? false, redelegationCount: asked.redelegation_count ?? null,
      }
      const rootTrustorId = parent?.rootTrustorId ?? actor.userId
      const held = projectId === null ? [] : await rolesOf(tx, rootTrustorId, { kind: 'project', id: projectId }, true)
      for (const id of wish.roleIds) if (!held.some((role) => role.id === id)) throw missing('role', id)
      const redelegationCount = depthOf(wish, parent, config.maxRedelegation)
      if (parent) checkRedelegation(wish, parent, config.maxRedelegation)
      const row: TrustRow = {
        id: newHexId(), trustorUserId: actor.userId, trusteeUserId: asked.trustee_user_id, rootTrustorId, projectId,
        impersonation: flag(wish.impersonation), expiresAt: wish.expiresAt,
        remainingUses: wish.remainingUses, redelegatedTrustId: parentId ?? null, redelegationCount, roleIds: JSON.stringify(wish.roleIds), deletedAt: null, createdAt: now(),
      }
      if (row.expiresAt !== null && await trusts.twin(tx, row)) throw conflict('Conflict occurred attempting to store trust - Duplicate entry found.')
      if (await countOf(tx, 'identityTrusts', exactly({ trustorUserId: actor.userId, deletedAt: null })) >= config.maxTrustsPerUser) {
        throw tooMany('trusts', config.maxTrustsPerUser)
      }
      await trusts.add(tx, row)
      return { row, named: await rolesIn(tx, row) }
    })
    return { trust: trustView(row, urls.api, named) }
  },
})

/** A list is about whose trusts it asks for. */
const listTarget = {
  async load(_ctx: Context, _params: unknown, _deps: Deps, { query }: Input<any, any, unknown>): Promise<policy.TrustTarget> {
    return { trustorUserId: query.trustor_user_id ?? '', trusteeUserId: query.trustee_user_id ?? '' }
  },
  sees: authenticated,
  missing: () => missing('trust', ''),
}

export const listTrusts = operation({
  name: 'listTrusts', method: 'GET', path: '/OS-TRUST/trusts', summary: 'List trusts: those one gave or was given, or everybody\'s for administrators.',
  access: policy.readTrust, target: listTarget,
  query: listQuery({ trustor_user_id: Type.Optional(Type.String()), trustee_user_id: Type.Optional(Type.String()) }),
  async handle({ actor }, { query, urls }, { store, config }) {
    refuseApplicationCredentials(actor)
    const page = pageOf(query, config.listLimit)
    const rows = await store.read((tx) => trusts.list(tx, termsOf(query, { trustor_user_id: 'trustorUserId', trustee_user_id: 'trusteeUserId' }), page))
    return collection('trusts', rows, (row) => trustView(row, urls.api), urls, page)
  },
})

export const showTrust = operation({
  name: 'showTrust', method: 'GET', path: '/OS-TRUST/trusts/{trust_id}', summary: 'Show a trust.', access: policy.readTrust, target,
  async handle({ actor }, { target, urls }, { store }) {
    refuseApplicationCredentials(actor)
    return { trust: trustView(target, urls.api, await store.read((tx) => rolesIn(tx, target))) }
  },
})

export const deleteTrust = operation({
  name: 'deleteTrust', method: 'DELETE', path: '/OS-TRUST/trusts/{trust_id}', summary: 'End a trust, those made of it, and their tokens.', access: policy.deleteTrust, target,
  async handle({ actor }, { target }, { store }) {
    refuseApplicationCredentials(actor)
    await store.tx((tx) => trusts.end(tx, [target.id], now()))
  },
})

export const listTrustRoles = operation({
  name: 'listTrustRoles', method: 'GET', path: '/OS-TRUST/trusts/{trust_id}/roles', summary: 'List the roles a trust lends.', access: policy.readTrust, target,
  async handle({ actor }, { target, urls }, { store }) {
    refuseApplicationCredentials(actor)
    return { roles: (await store.read((tx) => rolesIn(tx, target))).map((role) => roleView(role, urls.api)), links: rolesLinks(target, urls.api) }
  },
})

/** HEAD too: whether it does. */
export const showTrustRole = operation({
  name: 'showTrustRole', method: 'GET', path: '/OS-TRUST/trusts/{trust_id}/roles/{role_id}', summary: 'Show a role that a trust lends.', access: policy.readTrust, target,
  async handle({ actor }, { params, target, urls }, { store }) {
    refuseApplicationCredentials(actor)
    const role = (await store.read((tx) => rolesIn(tx, target))).find((r) => r.id === params.role_id)
    if (!role) throw missing('role', params.role_id!)
    return { role: roleView(role, urls.api) }
  },
})
