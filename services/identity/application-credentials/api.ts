// https://docs.openstack.org/api-ref/identity/v3/#application-credentials
import { badRequest } from '#base/errors.ts'
import { newHexId, newSecret } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { exact, nullable, oneOf, Type, type Static } from '#kit/http/schema.ts'
import { flag } from '#kit/store/store.ts'
import * as rules from '../access-rules/store.ts'
import { refuseRestricted, refuseTrusts } from '../delegation.ts'
import { operation, type Deps, type IdentityTx } from '../deps.ts'
import { missing, tooMany } from '../faults.ts'
import { collection, field, listQuery, pageOf, termsOf } from '../fields.ts'
import { countOf, exactly } from '../lists-store.ts'
import { futureInstant } from '../instants.ts'
import { digestSecret, maxPasswordLength } from '../passwords/hasher.ts'
import type { ApplicationCredentialRow } from '../schema.ts'
import { rolesOf } from '../tokens/standing-store.ts'
import { userTarget } from '../users/target.ts'
import * as policy from './policy.ts'
import * as credentials from './store.ts'
import { credentialView } from './view.ts'

const target = userTarget(policy.readCredentials)
const oneTarget = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => credentials.find(tx, params.user_id!, params.application_credential_id!)),
  sees: policy.readCredentials,
  owner: (row: ApplicationCredentialRow) => ({ userId: row.userId }),
  missing: (params: Record<string, string>) => missing('application credential', params.application_credential_id!),
}

const anId = Type.String({ minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-]+$' })
/** One by its id, or one as it shall be: the user's own rule like it is taken if there is one. */
const ruleBody = exact({
  id: Type.Optional(anId), service: Type.Optional(anId), method: Type.Optional(oneOf('DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT')),
  path: Type.Optional(Type.String({ minLength: 1, maxLength: 225, pattern: '^/' })),
})

const maxRules = 10_000
async function bindRules(tx: IdentityTx, credential: ApplicationCredentialRow, wanted: Static<typeof ruleBody>[]): Promise<void> {
  // Answers are in the order of ids: those of new rules rise, so that they come as they were given.
  const ids = wanted.map(() => newHexId()).toSorted()
  for (const [i, { id, service, method, path }] of wanted.entries()) {
    const whole = service !== undefined && method !== undefined && path !== undefined
    const known = id === undefined ? undefined : await rules.find(tx, credential.userId, id)
    if (!known && !whole) throw badRequest(id === undefined ? 'An access rule needs service, method and path.' : `Could not find Access Rule: ${id}.`)
    const rule = known ?? await rules.ensure(tx, { id: ids[i]!, userId: credential.userId, service: service!, path: path!, method: method! })
    await rules.bind(tx, credential.id, rule.id)
  }
  // They outlive the credentials they were made for.
  if (wanted.length > 0 && await countOf(tx, 'identityAccessRules', exactly({ userId: credential.userId })) > maxRules) throw tooMany('access rules', maxRules)
}

export const createCredential = operation({
  name: 'createApplicationCredential', method: 'POST', path: '/users/{user_id}/application_credentials',
  summary: 'Create an application credential for the token\'s project.', status: 201,
  access: policy.createCredential, target,
  body: exact({ application_credential: exact({
    id: Type.Optional(Type.String()), system: Type.Optional(nullable(Type.String())),
    name: field.name(), description: Type.Optional(field.description),
    secret: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: maxPasswordLength }))),
    expires_at: Type.Optional(nullable(Type.String())),
    unrestricted: Type.Optional(nullable(Type.Boolean())), project_id: Type.Optional(Type.String()), access_rules: Type.Optional(nullable(Type.Array(ruleBody, { maxItems: 100 }))),
    roles: Type.Optional(nullable(Type.Array(exact({ id: Type.Optional(Type.String()), name: Type.Optional(Type.String()) }, { minProperties: 1 }), { maxItems: 100 }))),
  }) }),
  faults: ['conflict'],
  async handle({ actor }, { target, body: { application_credential: asked }, urls }, deps) {
    refuseTrusts(actor)
    refuseRestricted(actor)
    const projectId = actor.projectId!
    const held = await deps.store.read((tx) => rolesOf(tx, target.id, { kind: 'project', id: projectId }))
    const mine = held.filter((role) => actor.roles.includes(role.name.toLowerCase()))
    const roles = asked.roles && asked.roles.length > 0 ? asked.roles.map((wanted) => {
      const found = mine.find((role) => (wanted.id !== undefined ? role.id === wanted.id : role.name === wanted.name))
      if (!found) {
        throw badRequest(`Invalid application credential: Could not find role assignment with role: ${wanted.id ?? wanted.name}, `
          + `user or group: ${target.id}, project, domain, or system: ${projectId}.`)
      }
      return found
    }) : mine
    const secret = asked.secret ?? newSecret(64)
    const row: ApplicationCredentialRow = {
      id: newHexId(), name: asked.name, userId: target.id, projectId, description: asked.description ?? null,
      expiresAt: asked.expires_at ? futureInstant(asked.expires_at, deps.clock) : null,
      // A secret that somebody thought up is a password.
      secretHash: asked.secret ? await deps.passwords.hash(secret) : digestSecret(secret),
      unrestricted: flag(asked.unrestricted ?? false), roleIds: JSON.stringify([...new Set(roles.map((r) => r.id))]), createdAt: now(),
    }
    const said = await deps.store.tx(async (tx) => {
      const limit = deps.config.maxApplicationCredentialsPerUser
      if (await countOf(tx, 'identityApplicationCredentials', exactly({ userId: target.id })) >= limit) throw tooMany('application credentials', limit)
      await credentials.add(tx, row)
      await bindRules(tx, row, asked.access_rules ?? [])
      return credentials.saidOf(tx, [row])
    })
    return { application_credential: credentialView(row, said, urls.api, secret) }
  },
})

export const listCredentials = operation({
  name: 'listApplicationCredentials', method: 'GET', path: '/users/{user_id}/application_credentials', summary: 'List a user\'s application credentials.',
  access: policy.readCredentials, target,
  query: listQuery({ name: Type.Optional(Type.String()) }),
  async handle({ actor }, { target, query, urls }, { store, config }) {
    refuseTrusts(actor)
    const page = pageOf(query, config.listLimit), terms = termsOf(query, { name: 'name' })
    const { rows, said } = await store.read(async (tx) => {
      const rows = await credentials.list(tx, target.id, terms, page)
      return { rows, said: await credentials.saidOf(tx, rows) }
    })
    return collection('application_credentials', rows, (row) => credentialView(row, said, urls.api), urls, page)
  },
})

export const showCredential = operation({
  name: 'showApplicationCredential', method: 'GET', path: '/users/{user_id}/application_credentials/{application_credential_id}',
  summary: 'Show an application credential.', access: policy.readCredentials, target: oneTarget,
  async handle({ actor }, { target, urls }, { store }) {
    refuseTrusts(actor)
    return { application_credential: credentialView(target, await store.read((tx) => credentials.saidOf(tx, [target])), urls.api) }
  },
})

export const deleteCredential = operation({
  name: 'deleteApplicationCredential', method: 'DELETE', path: '/users/{user_id}/application_credentials/{application_credential_id}',
  summary: 'Delete an application credential; its tokens end.',
  access: policy.deleteCredential, target: oneTarget,
  async handle({ actor }, { target }, deps) {
    refuseTrusts(actor)
    refuseRestricted(actor)
    await deps.store.tx((tx) => credentials.remove(tx, target.id))
  },
})
