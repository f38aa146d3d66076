// https://docs.openstack.org/api-ref/identity/v3/#policies
import { newHexId } from '#base/ids.ts'
import { exact, lenient, Type } from '#kit/http/schema.ts'
import * as policy from '../catalog/policy.ts'
import { operation, type Deps } from '../deps.ts'
import { missing } from '../faults.ts'
import { checkFixed, collection, extraOf, listQuery, pageOf, termsOf } from '../fields.ts'
import type { PolicyRow } from './schema.ts'
import * as policies from './store.ts'

export const policyTarget = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => policies.find(tx, params.policy_id!)),
  sees: policy.readCatalog, owner: () => ({}),
  missing: (params: Record<string, string>) => missing('policy', params.policy_id!),
}
const view = (row: PolicyRow, api: string): object =>
  ({ ...JSON.parse(row.extra) as object, id: row.id, type: row.type, blob: row.blob, links: { self: `${api}/policies/${row.id}` } })
const known = ['id', 'type', 'blob', 'links'] as const
const fields = { type: Type.String({ maxLength: 255 }), blob: Type.String() }

export const listPolicies = operation({
  name: 'listPolicies', method: 'GET', path: '/policies', summary: 'List policies.', access: policy.readCatalog, query: listQuery(),
  async handle(_ctx, { query, urls }, { store, config }) {
    const page = pageOf(query, config.listLimit)
    return collection('policies', await store.read((tx) => policies.list(tx, termsOf(query, { type: 'type' }), page)), (row) => view(row, urls.api), urls, page)
  },
})

export const showPolicy = operation({
  name: 'showPolicy', method: 'GET', path: '/policies/{policy_id}', summary: 'Show a policy.', access: policy.readCatalog, target: policyTarget,
  handle: async (_ctx, { target, urls }) => ({ policy: view(target, urls.api) }),
})

export const createPolicy = operation({
  name: 'createPolicy', method: 'POST', path: '/policies', summary: 'Create a policy.', status: 201, access: policy.changeCatalog, body: exact({ policy: lenient(fields) }),
  async handle(_ctx, { body, urls }, { store }) {
    const row: PolicyRow = { id: newHexId(), type: body.policy.type, blob: body.policy.blob, extra: extraOf(body.policy, known) }
    await store.tx((tx) => policies.add(tx, row))
    return { policy: view(row, urls.api) }
  },
})

export const updatePolicy = operation({
  name: 'updatePolicy', method: 'PATCH', path: '/policies/{policy_id}', summary: 'Change a policy.', access: policy.changeCatalog, target: policyTarget,
  body: exact({ policy: lenient({ type: Type.Optional(fields.type), blob: Type.Optional(fields.blob) }, { minProperties: 1 }) }),
  async handle(_ctx, { target, body: { policy: asked }, urls }, { store }) {
    checkFixed(asked, { id: target.id })
    const row = await store.tx(async (tx) => {
      const current = await policies.find(tx, target.id)
      if (!current) throw missing('policy', target.id)
      const next: PolicyRow = { ...current, type: asked.type ?? current.type, blob: asked.blob ?? current.blob, extra: extraOf(asked, known, current) }
      await policies.save(tx, current, next)
      return next
    })
    return { policy: view(row, urls.api) }
  },
})

export const deletePolicy = operation({
  name: 'deletePolicy', method: 'DELETE', path: '/policies/{policy_id}', summary: 'Delete a policy with its associations.', access: policy.changeCatalog, target: policyTarget,
  async handle(_ctx, { target }, { store }) { await store.tx((tx) => policies.remove(tx, target.id)) },
})

export { view as policyView }
