// https://docs.openstack.org/api-ref/identity/v3/#users
import { badRequest, forbidden } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { exact, lenient, nullable, Type } from '#kit/http/schema.ts'
import { anyone } from '#kit/policy/rules.ts'
import { flag } from '#kit/store/store.ts'
import { operation, type Deps, type IdentityTx } from '../deps.ts'
import { listLimitOf } from '../domain-config/store.ts'
import { couldNotComply, missing } from '../faults.ts'
import { checkFixed, collection, extraOf, field, listQuery, mergeOptions, pageOf, termsOf } from '../fields.ts'
import { groupView } from '../groups/view.ts'
import * as groups from '../groups/store.ts'
import { maxPasswordLength } from '../passwords/hasher.ts'
import { asOfToday, checkChange, checkPattern, expiryOf, optionsOf, remember, welcomeBack } from '../passwords/rules.ts'
import { inDomain, projectFilters } from '../projects/api.ts'
import * as projects from '../projects/store.ts'
import { projectView } from '../projects/view.ts'
import type { UserRow } from '../schema.ts'
import { checkOwnPassword } from '../tokens/methods.ts'
import { projectsOf } from '../tokens/scopes-store.ts'
import { linksOf } from '../federation/links-store.ts'
import { findUser } from '../tokens/store.ts'
import { removeApplicationCredentials } from '../trusts/owners-store.ts'
import { federatedField, federatedView, linkFilters, setFederated } from './federated.ts'
import * as policy from './policy.ts'
import * as users from './store.ts'
import { userView } from './view.ts'

/** `{user_id}` in a path: a 404 for who does not see him. */
export const userTarget = {
  load: (_ctx: unknown, params: Record<string, string>, deps: Deps): Promise<UserRow | undefined> => deps.store.read(async (tx) => {
    const found = await users.find(tx, params.user_id!)
    return found && (await asOfToday(tx, deps, [found]))[0]
  }),
  sees: policy.showUser,
  owner: (row: UserRow) => ({ userId: row.id, domainId: row.domainId }),
  missing: (params: Record<string, string>) => missing('user', params.user_id!),
}

/** What lists of users are narrowed by, those of a group too. */
export const userFilters = { name: 'name', domain_id: 'domainId', enabled: { flag: 'enabled' } }
const texts = Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 8 })], { repeats: true })
/** The query of lists of users. */
export const userQuery = listQuery({ domain_id: Type.Optional(Type.String()), password_expires_at: Type.Optional(texts) })

const operators = { lt: '<', lte: '<=', gt: '>', gte: '>=', eq: '=', neq: '<>' } as const
/** `password_expires_at=lt:2026-01-01T00:00:00Z`, as often as wanted. */
export const expiries = (given: string | string[] | undefined): users.Expiry[] => (given === undefined ? [] : [given].flat().map(expiry))
function expiry(text: string): users.Expiry {
  const [, word, at] = /^(?:(\w+):)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/.exec(text) ?? []
  if (at === undefined) throw badRequest(`Timestamp not in expected format. ${couldNotComply}`)
  if (word !== undefined && !Object.hasOwn(operators, word)) {
    throw badRequest(`The given operator ${word} is not valid. It must be one of the following: 'eq', 'neq', 'lt', 'lte', 'gt', or 'gte'.`)
  }
  return { operator: operators[(word ?? 'eq') as keyof typeof operators], at: new Date(at).toISOString() }
}

export const listUsers = operation({
  name: 'listUsers', method: 'GET', path: '/users', summary: 'List users.', access: policy.listUsers,
  query: userQuery,
  async handle({ actor }, { query, urls }, { store, config, clock, directories }) {
    await directories.refresh(actor.domainId ?? query.domain_id)
    const expires = expiries(query.password_expires_at)
    const { rows, page } = await store.read(async (tx) => {
      const page = pageOf(query, await listLimitOf(tx, actor.domainId ?? query.domain_id) ?? config.listLimit)
      const filter = { terms: termsOf(query, userFilters), links: termsOf(query, linkFilters), domainId: actor.domainId, expires }
      return { page, rows: await asOfToday(tx, { config, clock }, await users.list(tx, filter, page)) }
    })
    return collection('users', rows, (row) => userView(row, urls.api), urls, page)
  },
})

export const showUser = operation({
  name: 'showUser', method: 'GET', path: '/users/{user_id}', summary: 'Show a user.', access: policy.showUser, target: userTarget,
  handle: async (_ctx, { target, urls }, { store }) => ({ user: { ...userView(target, urls.api), ...federatedView(await store.read((tx) => linksOf(tx, target.id))) } }),
})

const known = ['id', 'name', 'domain_id', 'default_project_id', 'enabled', 'password', 'password_expires_at', 'options', 'links', 'original_password', 'federated'] as const
const maybe = nullable(Type.Boolean())
const fields = {
  name: field.name(), enabled: Type.Optional(field.enabled), default_project_id: Type.Optional(nullable(field.id)), description: Type.Optional(field.description),
  password: Type.Optional(nullable(Type.String({ maxLength: maxPasswordLength }))), federated: Type.Optional(federatedField),
  options: Type.Optional(exact({
    ignore_change_password_upon_first_use: Type.Optional(maybe), ignore_password_expiry: Type.Optional(maybe),
    ignore_lockout_failure_attempts: Type.Optional(maybe), lock_password: Type.Optional(maybe),
    ignore_user_inactivity: Type.Optional(maybe), multi_factor_auth_enabled: Type.Optional(maybe),
    multi_factor_auth_rules: Type.Optional(nullable(Type.Array(Type.Array(Type.String(), { minItems: 1, uniqueItems: true }), { uniqueItems: true }))),
  })),
}

async function checkDefaultProject(tx: IdentityTx, id: string | null | undefined): Promise<void> {
  const found = id ? await projects.find(tx, id) : undefined
  // One that does not exist is kept, as keystone keeps it.
  if (found?.isDomain) throw badRequest(`User's default project ID cannot be a domain ID: ${id}`)
}

export const createUser = operation({
  name: 'createUser', method: 'POST', path: '/users', summary: 'Create a user.', status: 201, access: policy.changeUser, target: inDomain((body) => body.user),
  body: exact({ user: lenient({ ...fields, domain_id: Type.Optional(field.id) }) }),
  faults: ['conflict'],
  async handle({ actor }, { body: { user }, target, urls }, { store, passwords, config, clock, directories }) {
    await directories.refuse(target.domainId)
    checkPattern(config.security, user.password)
    const row: UserRow = {
      id: newHexId(), name: user.name.trim(), domainId: target.domainId, defaultProjectId: user.default_project_id ?? null, enabled: flag(user.enabled ?? true),
      passwordHash: user.password ? await passwords.hash(user.password) : null, passwordExpiresAt: null, options: mergeOptions(user.options),
      extra: extraOf(user, known), generation: 0, createdAt: new Date(clock()).toISOString(),
    }
    if (row.passwordHash) row.passwordExpiresAt = expiryOf(config.security, row, clock(), true)
    const { links } = await store.tx(async (tx) => {
      if (!await projects.findDomain(tx, row.domainId)) throw missing('domain', row.domainId)
      await checkDefaultProject(tx, row.defaultProjectId)
      await users.add(tx, row)
      await remember(tx, config, row, clock(), false)
      return setFederated(tx, actor, row, user.federated)
    })
    return { user: { ...userView(row, urls.api), ...federatedView(links) } }
  },
})

export const updateUser = operation({
  name: 'updateUser', method: 'PATCH', path: '/users/{user_id}', summary: 'Change a user.', access: policy.changeUser, target: userTarget,
  body: exact({ user: lenient({ ...fields, name: Type.Optional(fields.name), domain_id: Type.Optional(field.id), id: Type.Optional(Type.String()) }, { minProperties: 1 }) }),
  faults: ['conflict'],
  async handle({ actor }, { body: { user }, target, urls }, { store, passwords, config, clock, directories }) {
    await directories.refuse(target.domainId)
    checkPattern(config.security, user.password)
    checkFixed(user, { id: target.id, domain_id: target.domainId })
    const hash = user.password ? await passwords.hash(user.password) : undefined
    const { row, links } = await store.tx(async (tx) => {
      const current = await users.find(tx, target.id)
      if (!current) throw missing('user', target.id)
      await checkDefaultProject(tx, user.default_project_id)
      const enabled = flag(user.enabled ?? current.enabled === 1)
      const { links, lost } = await setFederated(tx, actor, current, user.federated)
      const next: UserRow = {
        ...current, name: user.name?.trim() ?? current.name, enabled, defaultProjectId: user.default_project_id === undefined ? current.defaultProjectId : user.default_project_id,
        options: mergeOptions(JSON.parse(current.options) as object, user.options), extra: extraOf(user, known, current),
        ...(user.password !== undefined && { passwordHash: hash ?? null }),
        // Tokens end with the password they were had for, with whom they were vouched for by, and with being disabled.
        generation: Number(current.generation) + (user.password !== undefined || lost || (current.enabled === 1 && enabled === 0) ? 1 : 0),
      }
      if (user.password !== undefined) next.passwordExpiresAt = hash ? expiryOf(config.security, next, clock(), true) : null
      await users.save(tx, current, next)
      // Who is let in again finds no door open that nobody remembers.
      if (current.enabled === 1 && enabled === 0) await removeApplicationCredentials(tx, [next.id])
      if (user.password !== undefined) await remember(tx, config, next, clock(), false)
      if (user.enabled === true) await welcomeBack(tx, config, next.id, clock())
      return { row: (await asOfToday(tx, { config, clock }, [next]))[0]!, links }
    })
    return { user: { ...userView(row, urls.api), ...federatedView(links) } }
  },
})

export const deleteUser = operation({
  name: 'deleteUser', method: 'DELETE', path: '/users/{user_id}', summary: 'Delete a user.', access: policy.changeUser, target: userTarget,
  async handle(_ctx, { target }, { store, directories }) {
    await directories.refuse(target.domainId)
    await store.tx((tx) => users.remove(tx, [target.id]))
  },
})

/** Needs no token: it is how an expired password is replaced. */
export const changePassword = operation({
  name: 'changePassword', method: 'POST', path: '/users/{user_id}/password', summary: 'Change one\'s own password.', status: 204, access: anyone,
  body: exact({ user: exact({ original_password: Type.String(), password: Type.String({ minLength: 1, maxLength: maxPasswordLength }) }) }),
  faults: ['unauthorized', 'forbidden', 'tooManyRequests'],
  async handle(_ctx, { params, body: { user }, urls, remoteAddress }, deps) {
    const id = params.user_id!
    const found = await deps.store.read((tx) => findUser(tx, { id }))
    const row = await checkOwnPassword(deps, `id ${id}`, { root: urls.root, remoteAddress }, found, user.original_password)
    if (optionsOf(row).lock_password) {
      throw badRequest('You cannot change your password at this time due to password policy disallowing password changes. '
        + 'Please contact your administrator to reset your password.')
    }
    checkPattern(deps.config.security, user.password)
    await checkChange(deps, row, user.password)
    const passwordHash = await deps.passwords.hash(user.password)
    await deps.store.tx(async (tx) => {
      const current = await users.find(tx, id)
      // Somebody else was faster: the password compared above is no longer his.
      if (!current || current.passwordHash !== row.passwordHash) throw forbidden('The password was changed meanwhile.')
      const passwordExpiresAt = expiryOf(deps.config.security, current, deps.clock(), false)
      const next: UserRow = { ...current, passwordHash, passwordExpiresAt, generation: Number(current.generation) + 1 }
      await users.save(tx, current, next)
      await remember(tx, deps.config, next, deps.clock(), true)
    })
  },
})

export const listUserProjects = operation({
  name: 'listUserProjects', method: 'GET', path: '/users/{user_id}/projects', summary: 'List the projects a user has a role in.', access: policy.showUser, target: userTarget,
  query: listQuery(),
  async handle(_ctx, { target, query, urls }, { store, config }) {
    const page = pageOf(query, config.listLimit)
    const rows = await store.read((tx) => projectsOf(tx, target.id, true, { terms: termsOf(query, projectFilters), page }))
    return collection('projects', rows, (p) => projectView(p, urls.api), urls, page)
  },
})

export const listUserGroups = operation({
  name: 'listUserGroups', method: 'GET', path: '/users/{user_id}/groups', summary: 'List the groups a user is in.', access: policy.showUser, target: userTarget,
  query: listQuery(),
  async handle({ actor }, { target, query, urls }, { store, config, directories }) {
    await directories.refresh(target.domainId)
    const page = pageOf(query, config.listLimit)
    const rows = await store.read((tx) => groups.list(tx, { userId: target.id, terms: termsOf(query, { name: 'name' }), domainId: actor.domainId }, page))
    return collection('groups', rows, (g) => groupView(g, urls.api), urls, page)
  },
})
