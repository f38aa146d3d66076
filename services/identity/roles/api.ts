// https://docs.openstack.org/api-ref/identity/v3/#roles
import { badRequest } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import type { Input } from '#kit/http/operation.ts'
import { exact, lenient, nullable, Type } from '#kit/http/schema.ts'
import { authenticated } from '#kit/policy/rules.ts'
import { operation, type Deps } from '../deps.ts'
import { missing } from '../faults.ts'
import { checkDeletable, checkFixed, collection, extraOf, field, listQuery, mergeOptions, optionsAfter, pageOf, termsOf } from '../fields.ts'
import * as projects from '../projects/store.ts'
import type { RoleRow } from '../schema.ts'
import * as policy from './policy.ts'
import * as roles from './store.ts'
import { roleView } from './view.ts'

const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => roles.find(tx, params.role_id!)),
  sees: policy.showRole,
  owner: (row: RoleRow) => ({ roleName: row.name, domainId: row.domainId || null }),
  missing: (params: Record<string, string>) => missing('role', params.role_id!),
}

/** Whose roles a list is of. */
const listed = {
  load: async (_ctx: unknown, _params: unknown, _deps: Deps, { query }: Input<{ domain_id?: string }, unknown, unknown>) => ({ domainId: query.domain_id }),
  sees: authenticated,
  missing: () => missing('domain', ''),
}

export const listRoles = operation({
  name: 'listRoles', method: 'GET', path: '/roles', summary: 'List roles, by default those of no domain.', access: policy.listRoles, target: listed,
  query: listQuery({ domain_id: Type.Optional(Type.String()) }),
  async handle(_ctx, { query, urls }, { store, config }) {
    const page = pageOf(query, config.listLimit)
    const rows = await store.read((tx) => roles.list(tx, { terms: termsOf(query, { name: 'name' }), domainId: query.domain_id ?? '' }, page))
    return collection('roles', rows, (row) => roleView(row, urls.api), urls, page)
  },
})

export const showRole = operation({
  name: 'showRole', method: 'GET', path: '/roles/{role_id}', summary: 'Show a role.', access: policy.showRole, target,
  handle: async (_ctx, { target, urls }) => ({ role: roleView(target, urls.api) }),
})

const known = ['id', 'name', 'domain_id', 'description', 'options', 'links'] as const
const fields = { name: field.name(), description: Type.Optional(field.description), options: Type.Optional(field.options) }

export const createRole = operation({
  name: 'createRole', method: 'POST', path: '/roles', summary: 'Create a role.', status: 201, access: policy.changeRole,
  body: exact({ role: lenient({ ...fields, domain_id: Type.Optional(nullable(field.id)) }) }),
  faults: ['notFound', 'conflict'],
  async handle(_ctx, { body: { role }, urls }, { store }) {
    const row: RoleRow = {
      id: newHexId(), name: role.name, domainId: role.domain_id ?? '', description: role.description ?? null, options: mergeOptions(role.options),
      extra: extraOf(role, known), createdAt: now(),
    }
    await store.tx(async (tx) => {
      if (row.domainId && !await projects.findDomain(tx, row.domainId)) throw missing('domain', row.domainId)
      await roles.add(tx, row)
    })
    return { role: roleView(row, urls.api) }
  },
})

export const updateRole = operation({
  name: 'updateRole', method: 'PATCH', path: '/roles/{role_id}', summary: 'Change a role.', access: policy.changeRole, target,
  body: exact({ role: lenient({ ...fields, name: Type.Optional(fields.name), domain_id: Type.Optional(nullable(Type.String())) }, { minProperties: 1 }) }),
  faults: ['conflict'],
  async handle(_ctx, { body: { role }, target, urls }, { store }) {
    checkFixed(role, { id: target.id })
    if (role.domain_id !== undefined && role.domain_id !== (target.domainId || null)) throw badRequest('Update of `domain_id` is not allowed.')
    const row = await store.tx(async (tx) => {
      const current = await roles.find(tx, target.id)
      if (!current) throw missing('role', target.id)
      const options = optionsAfter('role', current, role)
      const next: RoleRow = {
        ...current, name: role.name ?? current.name, description: role.description === undefined ? current.description : role.description,
        options, extra: extraOf(role, known, current),
      }
      await roles.save(tx, current, next)
      return next
    })
    return { role: roleView(row, urls.api) }
  },
})

export const deleteRole = operation({
  name: 'deleteRole', method: 'DELETE', path: '/roles/{role_id}', summary: 'Delete a role with all its assignments.', access: policy.changeRole, target,
  async handle(_ctx, { target }, { store }) {
    checkDeletable('role', target)
    await store.tx((tx) => roles.remove(tx, [target.id]))
  },
})
