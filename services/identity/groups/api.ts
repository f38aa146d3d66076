// https://docs.openstack.org/api-ref/identity/v3/#groups
import { newHexId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { notFound } from '#base/errors.ts'
import { exact, lenient, Type } from '#kit/http/schema.ts'
import { operation, type Deps } from '../deps.ts'
import { listLimitOf } from '../domain-config/store.ts'
import { missing } from '../faults.ts'
import { checkFixed, collection, extraOf, field, listQuery, pageOf, termsOf } from '../fields.ts'
import { asOfToday } from '../passwords/rules.ts'
import { inDomain } from '../projects/api.ts'
import * as projects from '../projects/store.ts'
import type { GroupRow, UserRow } from '../schema.ts'
import { expiries, userFilters, userQuery } from '../users/api.ts'
import * as users from '../users/store.ts'
import { userView } from '../users/view.ts'
import * as policy from './policy.ts'
import * as groups from './store.ts'
import { groupView } from './view.ts'

const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => groups.find(tx, params.group_id!)),
  sees: policy.readGroup,
  owner: (row: GroupRow) => ({ domainId: row.domainId }),
  missing: (params: Record<string, string>) => missing('group', params.group_id!),
}
interface Membership { group: GroupRow, user: UserRow }
/** A group and a user; a domain's token must be of the domain of both. */
const membership = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps): Promise<Membership | undefined> => store.read(async (tx) => {
    const group = await groups.find(tx, params.group_id!)
    if (!group) return undefined
    const user = await users.find(tx, params.user_id!)
    if (!user) throw missing('user', params.user_id!)
    return { group, user }
  }),
  sees: policy.readGroup,
  owner: ({ group, user }: Membership) => ({ domainId: group.domainId === user.domainId ? group.domainId : null }),
  missing: (params: Record<string, string>) => missing('group', params.group_id!),
}

export const listGroups = operation({
  name: 'listGroups', method: 'GET', path: '/groups', summary: 'List groups.', access: policy.readGroup, query: listQuery({ domain_id: Type.Optional(Type.String()) }),
  async handle({ actor }, { query, urls }, { store, config, directories }) {
    await directories.refresh(actor.domainId ?? query.domain_id)
    const { rows, page } = await store.read(async (tx) => {
      const page = pageOf(query, await listLimitOf(tx, actor.domainId ?? query.domain_id) ?? config.listLimit)
      return { page, rows: await groups.list(tx, { terms: termsOf(query, { name: 'name', domain_id: 'domainId' }), domainId: actor.domainId }, page) }
    })
    return collection('groups', rows, (row) => groupView(row, urls.api), urls, page)
  },
})

export const showGroup = operation({
  name: 'showGroup', method: 'GET', path: '/groups/{group_id}', summary: 'Show a group.', access: policy.readGroup, target,
  handle: async (_ctx, { target, urls }) => ({ group: groupView(target, urls.api) }),
})

const known = ['id', 'name', 'domain_id', 'description', 'links'] as const
const fields = { name: field.name(), description: Type.Optional(field.description) }

export const createGroup = operation({
  name: 'createGroup', method: 'POST', path: '/groups', summary: 'Create a group.', status: 201, access: policy.changeGroup, target: inDomain((body) => body.group),
  body: exact({ group: lenient({ ...fields, domain_id: Type.Optional(field.id) }) }),
  faults: ['conflict'],
  async handle(_ctx, { body: { group }, target, urls }, { store, directories }) {
    await directories.refuse(target.domainId)
    const row: GroupRow = {
      id: newHexId(), name: group.name.trim(), domainId: target.domainId, description: group.description ?? '',
      extra: extraOf(group, known), createdAt: now(),
    }
    await store.tx(async (tx) => {
      if (!await projects.findDomain(tx, row.domainId)) throw missing('domain', row.domainId)
      await groups.add(tx, row)
    })
    return { group: groupView(row, urls.api) }
  },
})

export const updateGroup = operation({
  name: 'updateGroup', method: 'PATCH', path: '/groups/{group_id}', summary: 'Change a group.', access: policy.changeGroup, target,
  body: exact({ group: lenient({ ...fields, name: Type.Optional(fields.name) }, { minProperties: 1 }) }),
  faults: ['conflict'],
  async handle(_ctx, { body: { group }, target, urls }, { store, directories }) {
    await directories.refuse(target.domainId)
    checkFixed(group, { id: target.id, domain_id: target.domainId })
    const row = await store.tx(async (tx) => {
      const current = await groups.find(tx, target.id)
      if (!current) throw missing('group', target.id)
      const next: GroupRow = {
        ...current, name: group.name?.trim() ?? current.name, description: group.description === undefined ? current.description : group.description ?? '',
        extra: extraOf(group, known, current),
      }
      await groups.save(tx, current, next)
      return next
    })
    return { group: groupView(row, urls.api) }
  },
})

export const deleteGroup = operation({
  name: 'deleteGroup', method: 'DELETE', path: '/groups/{group_id}', summary: 'Delete a group.', access: policy.changeGroup, target,
  async handle(_ctx, { target }, { store, directories }) {
    await directories.refuse(target.domainId)
    await store.tx((tx) => groups.remove(tx, [target.id]))
  },
})

export const listGroupUsers = operation({
  name: 'listGroupUsers', method: 'GET', path: '/groups/{group_id}/users', summary: 'List the users in a group.', access: policy.readGroup, target,
  query: userQuery,
  async handle({ actor }, { target, query, urls }, { store, config, clock, directories }) {
    await directories.refresh(target.domainId)
    const page = pageOf(query, config.listLimit)
    const filter = { groupId: target.id, terms: termsOf(query, userFilters), expires: expiries(query.password_expires_at), domainId: actor.domainId }
    const rows = await store.read(async (tx) => asOfToday(tx, { config, clock }, await users.list(tx, filter, page)))
    return collection('users', rows, (row) => userView(row, urls.api), urls, page)
  },
})

export const addGroupUser = operation({
  name: 'addGroupUser', method: 'PUT', path: '/groups/{group_id}/users/{user_id}', summary: 'Add a user to a group.', access: policy.changeGroup, target: membership,
  async handle(_ctx, { target }, { store, directories }) {
    await directories.refuse(target.group.domainId)
    await store.tx((tx) => groups.join(tx, target.group.id, target.user.id))
  },
})

const notIn = (params: Record<string, string>): Error => notFound(`Could not find user: ${params.user_id} in group ${params.group_id}.`)

/** GET and HEAD. */
export const checkGroupUser = operation({
  name: 'checkGroupUser', method: 'GET', path: '/groups/{group_id}/users/{user_id}', summary: 'Tell whether a user is in a group.', access: policy.readGroup, target: membership,
  async handle(_ctx, { target, params }, { store }) {
    if (!await store.read((tx) => groups.isIn(tx, target.group.id, target.user.id))) throw notIn(params)
  },
})

export const removeGroupUser = operation({
  name: 'removeGroupUser', method: 'DELETE', path: '/groups/{group_id}/users/{user_id}', summary: 'Remove a user from a group.', access: policy.changeGroup, target: membership,
  async handle(_ctx, { target, params }, { store, directories }) {
    await directories.refuse(target.group.domainId)
    if (!await store.tx((tx) => groups.leave(tx, target.group.id, target.user.id))) throw notIn(params)
  },
})
