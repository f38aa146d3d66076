// https://docs.openstack.org/api-ref/identity/v3-ext/#os-oauth1: a program asks for a token, a user allows it, the program acts for him.
import { randomInt } from 'node:crypto'
import type { Actor } from '#base/context.ts'
import { badRequest, forbidden, notFound, unauthorized } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { Reply } from '#kit/http/operation.ts'
import { exact, lenient, nullable, Type } from '#kit/http/schema.ts'
import { anyone } from '#kit/policy/rules.ts'
import { operation, type Deps } from '../deps.ts'
import { couldNotComply, missing } from '../faults.ts'
import { collection, extraOf, field } from '../fields.ts'
import * as projects from '../projects/store.ts'
import { roleView } from '../roles/view.ts'
import type { UserRow } from '../schema.ts'
import { rolesOf } from '../tokens/standing-store.ts'
import * as users from '../users/store.ts'
import * as policy from './policy.ts'
import type { AccessTokenRow, ConsumerRow, RequestTokenRow } from './schema.ts'
import { freshSecret, requestOf, signedIn, verify } from './acting.ts'
import * as rows from './store.ts'

const root = '/OS-OAUTH1', requestLifeSeconds = 28_800, accessLifeSeconds = 86_400
const instant = (atSeconds: number): string => `${new Date(atSeconds * 1000).toISOString().slice(0, 19)}.000000Z`

const consumerView = (row: ConsumerRow, api: string): { id: string, [name: string]: unknown } =>
  ({ ...JSON.parse(row.extra) as object, id: row.id, description: row.description, links: { self: `${api}${root}/consumers/${row.id}` } })
const consumerOf = async (deps: Deps, id: string): Promise<ConsumerRow> => {
  const row = await deps.store.read((tx) => rows.findConsumer(tx, id))
  if (!row) throw missing('Consumer', id)
  return row
}

export const createConsumer = operation({
  name: 'createConsumer', method: 'POST', path: `${root}/consumers`, summary: 'Create a consumer: a program that users can allow to act for them.',
  status: 201, access: policy.changeConsumers,
  body: exact({ consumer: lenient({ description: Type.Optional(field.description), id: Type.Optional(Type.Never()), secret: Type.Optional(Type.Never()) }) }),
  async handle(_ctx, { body: { consumer }, urls }, deps) {
    const id = newHexId(), { shown, secret } = freshSecret(deps, id)
    const row: ConsumerRow = { id, description: consumer.description ?? null, secret, extra: extraOf(consumer, ['id', 'description', 'secret', 'links']) }
    await deps.store.tx((tx) => rows.addConsumer(tx, row))
    return { consumer: { ...consumerView(row, urls.api), secret: shown } }
  },
})
export const listConsumers = operation({
  name: 'listConsumers', method: 'GET', path: `${root}/consumers`, summary: 'List consumers.', access: policy.readConsumers,
  handle: async (_ctx, { urls }, { store }) => collection('consumers', await store.read((tx) => rows.listConsumers(tx)), (row) => consumerView(row, urls.api), urls),
})
export const showConsumer = operation({
  name: 'showConsumer', method: 'GET', path: `${root}/consumers/{consumer_id}`, summary: 'Show a consumer, without its secret.', access: policy.readConsumers,
  faults: ['notFound'],
  handle: async (_ctx, { params, urls }, deps) => ({ consumer: consumerView(await consumerOf(deps, params.consumer_id!), urls.api) }),
})
export const updateConsumer = operation({
  name: 'updateConsumer', method: 'PATCH', path: `${root}/consumers/{consumer_id}`, summary: 'Change a consumer\'s description.', access: policy.changeConsumers,
  body: exact({ consumer: lenient({ description: Type.Optional(nullable(Type.String({ maxLength: 65_535 }))), id: Type.Optional(Type.String()) }) }),
  faults: ['notFound'],
  async handle(_ctx, { params, body: { consumer }, urls }, deps) {
    const was = await consumerOf(deps, params.consumer_id!)
    if ('secret' in consumer) throw badRequest('Cannot change consumer secret')
    if (consumer.id !== undefined && consumer.id !== was.id) throw badRequest('Cannot change consumer ID')
    const row = {
      ...was, description: consumer.description === undefined ? was.description : consumer.description,
      extra: extraOf(consumer, ['id', 'description', 'secret', 'links'], was),
    }
    await deps.store.tx((tx) => rows.saveConsumer(tx, row))
    return { consumer: consumerView(row, urls.api) }
  },
})
export const deleteConsumer = operation({
  name: 'deleteConsumer', method: 'DELETE', path: `${root}/consumers/{consumer_id}`, summary: 'Delete a consumer; what it does for users ends.', access: policy.changeConsumers,
  faults: ['notFound'],
  async handle(_ctx, { params }, deps) {
    await consumerOf(deps, params.consumer_id!)
    await deps.store.tx((tx) => rows.removeConsumer(tx, params.consumer_id!))
  },
})

const form = (fields: Record<string, string>): Reply =>
  new Reply({ status: 201, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(fields).toString().replaceAll('%3A', ':') })

export const createRequestToken = operation({
  name: 'createRequestToken', method: 'POST', path: `${root}/request_token`, summary: 'A consumer asks for a token that a user can allow.', status: 201, access: anyone,
  faults: ['badRequest', 'unauthorized', 'notFound'],
  async handle(_ctx, input, deps) {
    const projectId = input.headers['requested-project-id']
    if (typeof projectId !== 'string' || projectId === '') {
      throw badRequest(`Expecting to find Requested-Project-Id in request. ${couldNotComply}`)
    }
    const signed = signedIn(requestOf(input), deps)
    if (signed.token !== undefined) throw unauthorized('Invalid signature')
    await verify(deps, signed, undefined)
    const id = newHexId(), { shown, secret } = freshSecret(deps, id)
    const nowSeconds = Math.floor(deps.clock() / 1000), expiresAtSeconds = nowSeconds + requestLifeSeconds
    await deps.store.tx(async (tx) => {
      const project = await projects.find(tx, projectId)
      if (!project || project.isDomain) throw missing('project', projectId)
      await rows.addRequestToken(tx, { id, consumerId: signed.consumerKey, secret, projectId, userId: null, roleIds: '[]', verifier: null, expiresAtSeconds }, nowSeconds)
    })
    return form({ oauth_token: id, oauth_token_secret: shown, oauth_expires_at: instant(expiresAtSeconds) })
  },
})

const letters = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
export const authorizeRequestToken = operation({
  name: 'authorizeRequestToken', method: 'PUT', path: `${root}/authorize/{request_token_id}`,
  summary: 'Allow a consumer to act for oneself, with roles one has in the project it asked for.', access: policy.accessTokens,
  body: exact({ roles: Type.Array(
    exact({ id: Type.Optional(Type.String({ maxLength: 64 })), name: Type.Optional(Type.String({ maxLength: 255 })) }, { minProperties: 1 }),
    { minItems: 1, maxItems: 100 },
  ) }),
  faults: ['notFound'],
  async handle({ actor }, { params, body }, deps) {
    if (actor.delegation) throw forbidden('Cannot authorize a request token with a token issued via delegation.')
    const token = await deps.store.read((tx) => rows.findRequestToken(tx, params.request_token_id!))
    if (!token) throw notFound('Could not find Request Token.')
    if (token.expiresAtSeconds <= deps.clock() / 1000) throw unauthorized('Request token is expired')
    const held = await deps.store.read((tx) => rolesOf(tx, actor.userId, { kind: 'project', id: token.projectId }))
    const roleIds = body.roles.map((wanted) => {
      const role = held.find((r) => (wanted.id !== undefined ? r.id === wanted.id : r.name === wanted.name))
      if (!role) throw unauthorized('authorizing user does not have role required')
      return role.id
    })
    const verifier = Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('')
    const row: RequestTokenRow = { ...token, userId: actor.userId, roleIds: JSON.stringify([...new Set(roleIds)]), verifier }
    if (!await deps.store.tx((tx) => rows.allow(tx, row))) throw forbidden('The request token was authorized before.')
    return { token: { oauth_verifier: row.verifier } }
  },
})

export const createAccessToken = operation({
  name: 'createAccessToken', method: 'POST', path: `${root}/access_token`, summary: 'A consumer exchanges an allowed request token for one that it can act with.',
  status: 201, access: anyone,
  faults: ['badRequest', 'unauthorized'],
  async handle(_ctx, input, deps) {
    const signed = signedIn(requestOf(input), deps)
    if (!signed.token || !signed.verifier) {
      throw badRequest(`Expecting to find oauth_${signed.token ? 'verifier' : 'token'} in request. ${couldNotComply}`)
    }
    const token = await deps.store.read((tx) => rows.findRequestToken(tx, signed.token!))
    await verify(deps, signed, token)
    // A verifier has few letters: whoever guesses wrong asks for a new token.
    if (token!.userId === null || token!.verifier !== signed.verifier) {
      if (token!.userId !== null) await deps.store.tx((tx) => rows.removeRequestToken(tx, token!.id))
      throw unauthorized(token!.userId === null ? 'Request Token does not have an authorizing user id.' : 'Provided verifier does not match stored verifier')
    }
    const id = newHexId(), { shown, secret } = freshSecret(deps, id)
    const expiresAtSeconds = Math.floor(deps.clock() / 1000) + accessLifeSeconds
    const row: AccessTokenRow = { id, consumerId: token!.consumerId, secret, projectId: token!.projectId, userId: token!.userId, roleIds: token!.roleIds, expiresAtSeconds }
    if (!await deps.store.tx((tx) => rows.exchange(tx, token!.id, row))) throw unauthorized('Invalid signature')
    return form({ oauth_token: id, oauth_token_secret: shown, oauth_expires_at: instant(expiresAtSeconds) })
  },
})

const userTarget = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => users.find(tx, params.user_id!)),
  sees: policy.accessTokens, owner: (row: UserRow) => ({ userId: row.id, domainId: row.domainId }), missing: (params: Record<string, string>) => missing('user', params.user_id!),
}
const tokenTarget = {
  async load(_ctx: unknown, params: Record<string, string>, { store }: Deps) {
    const row = await store.read((tx) => rows.findAccessToken(tx, params.access_token_id!))
    return row?.userId === params.user_id ? row : undefined
  },
  sees: policy.accessTokens, owner: (row: AccessTokenRow) => ({ userId: row.userId }), missing: () => notFound('Could not find Access Token.'),
}
/** Lent rights see and end none of what was lent to others. */
const refuseLent = ({ delegation }: Actor): void => { if (delegation) throw forbidden('Cannot manage OAuth access tokens with a token issued via delegation.') }
const tokenPath = `/users/{user_id}${root}/access_tokens`
const accessTokenView = (row: AccessTokenRow, api: string): { id: string, [name: string]: unknown } => ({
  id: row.id, consumer_id: row.consumerId, project_id: row.projectId, authorizing_user_id: row.userId, expires_at: instant(row.expiresAtSeconds),
  links: { self: `${api}/users/${row.userId}${root}/access_tokens/${row.id}`, roles: `${api}/users/${row.userId}${root}/access_tokens/${row.id}/roles` },
})

export const listAccessTokens = operation({
  name: 'listAccessTokens', method: 'GET', path: tokenPath, summary: 'List the access tokens a user allowed.', access: policy.accessTokens, target: userTarget,
  async handle({ actor }, { target, urls }, { store }) {
    refuseLent(actor)
    return collection('access_tokens', await store.read((tx) => rows.listAccessTokens(tx, target.id)), (row) => accessTokenView(row, urls.api), urls)
  },
})
export const showAccessToken = operation({
  name: 'showAccessToken', method: 'GET', path: `${tokenPath}/{access_token_id}`, summary: 'Show an access token, without its secret.',
  access: policy.accessTokens, target: tokenTarget,
  async handle({ actor }, { target, urls }) {
    refuseLent(actor)
    return { access_token: accessTokenView(target, urls.api) }
  },
})
export const deleteAccessToken = operation({
  name: 'deleteAccessToken', method: 'DELETE', path: `${tokenPath}/{access_token_id}`, summary: 'Take back what a consumer was allowed; its tokens end.',
  access: policy.accessTokens, target: tokenTarget,
  async handle({ actor }, { target }, { store }) {
    refuseLent(actor)
    await store.tx((tx) => rows.removeAccessToken(tx, target.id))
  },
})
export const listAccessTokenRoles = operation({
  name: 'listAccessTokenRoles', method: 'GET', path: `${tokenPath}/{access_token_id}/roles`, summary: 'List the roles of an access token.',
  access: policy.accessTokens, target: tokenTarget,
  handle: async (_ctx, { target, urls }, { store }) => collection('roles', await store.read((tx) => rows.rolesOf(tx, target)), (role) => roleView(role, urls.api), urls),
})
export const showAccessTokenRole = operation({
  name: 'showAccessTokenRole', method: 'GET', path: `${tokenPath}/{access_token_id}/roles/{role_id}`, summary: 'Show a role of an access token.',
  access: policy.accessTokens, target: tokenTarget,
  async handle(_ctx, { target, params, urls }, { store }) {
    const role = (await store.read((tx) => rows.rolesOf(tx, target))).find((r) => r.id === params.role_id)
    if (!role) throw missing('role', params.role_id!)
    return { role: roleView(role, urls.api) }
  },
})
