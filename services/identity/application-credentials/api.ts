// https://docs.openstack.org/api-ref/identity/v3/#application-credentials
import { badRequest, forbidden } from '#base/errors.ts'
import { newHexId, newSecret } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { exact, lenient, nullable, Type } from '#kit/http/schema.ts'
import { flag } from '#kit/store/store.ts'
import { operation, type Deps } from '../deps.ts'
import { missing } from '../faults.ts'
import { collection, field, listQuery } from '../fields.ts'
import { digestSecret, maxPasswordLength } from '../passwords/hasher.ts'
import type { ApplicationCredentialRow, UserRow } from '../schema.ts'
import { rolesOf } from '../tokens/standing-store.ts'
import * as users from '../users/store.ts'
import * as policy from './policy.ts'
import * as credentials from './store.ts'
import { credentialView } from './view.ts'

const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => users.find(tx, params.user_id!)),
  sees: policy.readCredentials,
  owner: (row: UserRow) => ({ userId: row.id }),
  missing: (params: Record<string, string>) => missing('user', params.user_id!),
}
const oneTarget = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => credentials.find(tx, params.user_id!, params.application_credential_id!)),
  sees: policy.readCredentials,
  owner: (row: ApplicationCredentialRow) => ({ userId: row.userId }),
  missing: (params: Record<string, string>) => missing('application credential', params.application_credential_id!),
}

/** A credential that is not `unrestricted` makes and deletes no others. */
async function refuseRestricted(deps: Deps, headers: Record<string, string | string[] | undefined>): Promise<void> {
  const token = headers['x-auth-token']
  const claims = typeof token === 'string' ? await deps.tokens.open(token) : undefined
  const id = claims?.applicationCredentialId
  const own = id === undefined ? undefined : await deps.store.read((tx) => credentials.find(tx, claims!.userId, id))
  if (id !== undefined && own?.unrestricted !== 1) {
    throw forbidden('You are not authorized to perform the requested action: Using method \'application_credential\' is not allowed for managing additional application credentials.')
  }
}

/** keystone takes instants with and without fractions and zone. */
function instant(text: string, clock: () => number): string {
  const at = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/.test(text) ? Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`) : NaN
  if (Number.isNaN(at)) throw badRequest(`Invalid input for field/attribute expires_at. Value: ${text.slice(0, 60)}. It is not an ISO 8601 date-time.`)
  if (at <= clock()) throw badRequest('The \'expires_at\' must not be before now. The server could not comply with the request since it is either malformed or otherwise incorrect.')
  // keystone gives back the microseconds it was given.
  return `${new Date(at).toISOString().slice(0, 19)}.${(/\.(\d+)/.exec(text)?.[1] ?? '').slice(0, 6).padEnd(6, '0')}Z`
}

export const createCredential = operation({
  name: 'createApplicationCredential', method: 'POST', path: '/users/{user_id}/application_credentials', summary: 'Create an application credential for the token\'s project.', status: 201,
  access: policy.createCredential, target,
  body: exact({ application_credential: lenient({
    name: field.name(), description: Type.Optional(field.description), secret: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: maxPasswordLength }))), expires_at: Type.Optional(nullable(Type.String())),
    unrestricted: Type.Optional(nullable(Type.Boolean())), project_id: Type.Optional(Type.String()), access_rules: Type.Optional(nullable(Type.Array(lenient({})))),
    roles: Type.Optional(nullable(Type.Array(lenient({ id: Type.Optional(Type.String()), name: Type.Optional(Type.String()) })))),
  }) }),
  async handle({ actor }, { target, body: { application_credential: asked }, headers, urls }, deps) {
    await refuseRestricted(deps, headers)
    // Rules that nobody enforces would promise what is not kept.
    if (asked.access_rules && asked.access_rules.length > 0) throw badRequest('Access rules of application credentials are not supported by this cloud.')
    const projectId = actor.projectId!
    const held = await deps.store.read((tx) => rolesOf(tx, target.id, { kind: 'project', id: projectId }))
    const mine = held.filter((role) => actor.roles.includes(role.name.toLowerCase()))
    const roles = asked.roles && asked.roles.length > 0 ? asked.roles.map((wanted) => {
      const found = mine.find((role) => (wanted.id !== undefined ? role.id === wanted.id : role.name === wanted.name))
      if (!found) throw badRequest(`Invalid application credential: Could not find role assignment with role: ${wanted.id ?? wanted.name}, user or group: ${target.id}, project, domain, or system: ${projectId}.`)
      return found
    }) : mine
    const secret = asked.secret ?? newSecret(64)
    const row: ApplicationCredentialRow = {
      id: newHexId(), name: asked.name, userId: target.id, projectId, description: asked.description ?? null, expiresAt: asked.expires_at ? instant(asked.expires_at, deps.clock) : null,
      // A secret that somebody thought up is a password.
      secretHash: asked.secret ? await deps.passwords.hash(secret) : digestSecret(secret),
      unrestricted: flag(asked.unrestricted ?? false), roleIds: JSON.stringify([...new Set(roles.map((r) => r.id))]), createdAt: now(),
    }
    const named = await deps.store.tx(async (tx) => { await credentials.add(tx, row); return credentials.rolesOf(tx, [row]) })
    return { application_credential: credentialView(row, named, urls.api, secret) }
  },
})

export const listCredentials = operation({
  name: 'listApplicationCredentials', method: 'GET', path: '/users/{user_id}/application_credentials', summary: 'List a user\'s application credentials.', access: policy.readCredentials, target,
  query: listQuery({ name: Type.Optional(Type.String()) }),
  async handle(_ctx, { target, query, urls }, { store }) {
    const { rows, roles } = await store.read(async (tx) => { const rows = await credentials.list(tx, target.id, query.name, query); return { rows, roles: await credentials.rolesOf(tx, rows) } })
    return collection('application_credentials', rows, (row) => credentialView(row, roles, urls.api), urls, query)
  },
})

export const showCredential = operation({
  name: 'showApplicationCredential', method: 'GET', path: '/users/{user_id}/application_credentials/{application_credential_id}', summary: 'Show an application credential.', access: policy.readCredentials, target: oneTarget,
  async handle(_ctx, { target, urls }, { store }) {
    return { application_credential: credentialView(target, await store.read((tx) => credentials.rolesOf(tx, [target])), urls.api) }
  },
})

export const deleteCredential = operation({
  name: 'deleteApplicationCredential', method: 'DELETE', path: '/users/{user_id}/application_credentials/{application_credential_id}', summary: 'Delete an application credential; its tokens end.',
  access: policy.deleteCredential, target: oneTarget,
  async handle(_ctx, { target, headers }, deps) {
    await refuseRestricted(deps, headers)
    await deps.store.tx((tx) => credentials.remove(tx, target.id))
  },
})
