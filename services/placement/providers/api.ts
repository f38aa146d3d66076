// https://docs.openstack.org/api-ref/placement/#resource-providers and #resource-provider
import { badRequest } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { exact, nullable, since, Type } from '#kit/http/schema.ts'
import { Reply } from '#kit/http/operation.ts'
import { mustKnow, parseGroup } from '../candidates/request.ts'
import { operation } from '../deps.ts'
import { dashed, repeated, uuid } from '../fields.ts'
import * as policy from '../policy.ts'
import { dated, newest } from '../replies.ts'
import { list } from './list-store.ts'
import * as providers from './store.ts'
import { target } from './target.ts'
import { hang } from './tree.ts'
import { providerView } from './view.ts'

const access = policy.adminOrService
const name = Type.String({ minLength: 1, maxLength: 200 })
const parent = since('1.14', Type.Optional(nullable(uuid())))

export const listResourceProviders = operation({
  name: 'listResourceProviders', method: 'GET', path: '/resource_providers', summary: 'List resource providers.', access,
  query: exact({
    name: Type.Optional(Type.String()), uuid: Type.Optional(uuid()), member_of: since('1.3', repeated()), resources: since('1.4', Type.Optional(Type.String())),
    in_tree: since('1.14', Type.Optional(uuid())), required: since('1.18', repeated()),
  }),
  async handle(_ctx, { query, version }, { store }) {
    const group = parseGroup('', version, { resources: query.resources, required: [query.required ?? []].flat(), memberOf: [query.member_of ?? []].flat(), inTree: query.in_tree })
    const rows = await store.read(async (tx) => {
      await mustKnow(tx, [group])
      return list(tx, { name: query.name || undefined, uuid: query.uuid && dashed(query.uuid), group })
    })
    return dated(version, { resource_providers: rows.map(providerView(version)) }, newest(rows.map((r) => r.updatedAt)))
  },
})

export const createResourceProvider = operation({
  name: 'createResourceProvider', method: 'POST', path: '/resource_providers', summary: 'Create a resource provider.', access,
  body: exact({ name, uuid: Type.Optional(uuid()), parent_provider_uuid: parent }),
  faults: ['conflict'],
  async handle(_ctx, { body, urls, version }, { store }) {
    const id = body.uuid === undefined ? newId() : dashed(body.uuid)
    const parentId = body.parent_provider_uuid && dashed(body.parent_provider_uuid)
    const refused = (why: string): Error => badRequest(`Unable to create resource provider "${body.name}", ${id}: Object action create failed because: ${why}`)
    if (parentId === id) throw refused('parent provider UUID cannot be same as UUID. Please set parent provider UUID to None if there is no parent.')
    const row = await store.tx(async (tx) => {
      const held = await hang(tx, parentId ?? undefined, undefined, refused)
      return providers.add(tx, id, body.name, held.parent)
    }, { durable: true })
    const headers = { location: `${urls.api}/resource_providers/${row.id}` }
    return version.since('1.20') ? dated(version, providerView(version)(row), row.updatedAt, { headers }) : new Reply({ status: 201, headers })
  },
})

export const showResourceProvider = operation({
  name: 'showResourceProvider', method: 'GET', path: '/resource_providers/{uuid}', summary: 'Show a resource provider.', access, target,
  handle: async (_ctx, { target, version }) => dated(version, providerView(version)(target), target.updatedAt),
})

export const updateResourceProvider = operation({
  name: 'updateResourceProvider', method: 'PUT', path: '/resource_providers/{uuid}', summary: 'Rename a resource provider, or hang it elsewhere in the trees.', access, target,
  body: exact({ name, parent_provider_uuid: parent }),
  faults: ['conflict'],
  async handle(_ctx, { target: { id }, body, version }, { store }) {
    const wanted = body.parent_provider_uuid, parentId = wanted && dashed(wanted)
    const refused = (why: string): Error => badRequest(`Unable to save resource provider ${id}: Object action update failed because: ${why}`)
    const row = await store.tx(async (tx) => {
      if (wanted === undefined) return providers.rename(tx, await providers.holdOne(tx, id), body.name)
      const { self, parent, subtree } = await hang(tx, parentId ?? undefined, id, refused)
      const was = self!.parentId
      if (was !== (parentId ?? null)) {
        if (was !== null && !version.since('1.37')) throw refused(`${parentId ? 're' : 'un'}-parenting a provider is not currently allowed.`)
        return providers.rename(tx, await providers.move(tx, self!, subtree, parent), body.name)
      }
      return providers.rename(tx, self!, body.name)
    }, { durable: true })
    return dated(version, providerView(version)(row), row.updatedAt)
  },
})

export const deleteResourceProvider = operation({
  name: 'deleteResourceProvider', method: 'DELETE', path: '/resource_providers/{uuid}', summary: 'Delete a resource provider that nothing uses.', access, status: 204,
  target: { ...target, missing: ({ uuid: id }) => providers.absent(id!, ' for delete') },
  faults: ['conflict'],
  handle: async (_ctx, { target }, { store }) => store.tx((tx) => providers.remove(tx, target.id), { durable: true }),
})
