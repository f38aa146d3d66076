// OS-EP-FILTER: which endpoints a project's catalogue shows. https://docs.openstack.org/api-ref/identity/v3-ext/#os-ep-filter-api
import { newHexId } from '#base/ids.ts'
import { exact, nullable, oneOf, Type } from '#kit/http/schema.ts'
import { associationsOf } from '../catalog/associations.ts'
import * as policy from '../catalog/policy.ts'
import { endpointView } from '../catalog/view.ts'
import { operation, type Deps } from '../deps.ts'
import { endpointTarget } from '../endpoints/api.ts'
import { missing } from '../faults.ts'
import { collection, field, listQuery, pageOf, termsOf } from '../fields.ts'
import type { EndpointGroupRow } from '../policies/schema.ts'
import * as projects from '../projects/store.ts'
import { projectView } from '../projects/view.ts'
import * as filter from './store.ts'

const groupTarget = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => filter.find(tx, params.endpoint_group_id!)),
  sees: policy.readCatalog, owner: () => ({}),
  missing: (params: Record<string, string>) => missing('Endpoint Group', params.endpoint_group_id!),
}
const projectTarget = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => projects.find(tx, params.project_id!)),
  sees: policy.readCatalog, owner: () => ({}),
  missing: (params: Record<string, string>) => missing('project', params.project_id!),
}
const base = '/OS-EP-FILTER', groups = `${base}/endpoint_groups`, one = `${groups}/{endpoint_group_id}`
const view = (row: EndpointGroupRow, api: string): object =>
  ({ id: row.id, name: row.name, description: row.description, filters: JSON.parse(row.filters) as object, links: { self: `${api}${groups}/${row.id}` } })
const filterFields = {
  interface: Type.Optional(oneOf('public', 'internal', 'admin')), service_id: Type.Optional(Type.String({ maxLength: 64 })),
  region_id: Type.Optional(nullable(Type.String({ maxLength: 255 }))), enabled: Type.Optional(Type.Boolean()),
}
/** As in keystone: a new group needs a filter, a change may take the last one away. */
const filters = exact(filterFields, { minProperties: 1 })
const fields = { name: field.name(), description: Type.Optional(field.description), filters }

export const listEndpointGroups = operation({
  name: 'listEndpointGroups', method: 'GET', path: groups, summary: 'List endpoint groups.', access: policy.readCatalog, query: listQuery(),
  async handle(_ctx, { query, urls }, { store, config }) {
    const page = pageOf(query, config.listLimit)
    return collection('endpoint_groups', await store.read((tx) => filter.list(tx, termsOf(query, { name: 'name' }), page)), (row) => view(row, urls.api), urls, page)
  },
})

export const showEndpointGroup = operation({
  name: 'showEndpointGroup', method: 'GET', path: one, summary: 'Show an endpoint group.', access: policy.readCatalog, target: groupTarget,
  handle: async (_ctx, { target, urls }) => ({ endpoint_group: view(target, urls.api) }),
})

export const createEndpointGroup = operation({
  name: 'createEndpointGroup', method: 'POST', path: groups, summary: 'Create an endpoint group.',
  status: 201, access: policy.changeCatalog, body: exact({ endpoint_group: exact(fields) }),
  faults: ['conflict'],
  async handle(_ctx, { body: { endpoint_group: asked }, urls }, { store }) {
    const row: EndpointGroupRow = { id: newHexId(), name: asked.name, description: asked.description ?? null, filters: JSON.stringify(asked.filters) }
    await store.tx((tx) => filter.add(tx, row))
    return { endpoint_group: view(row, urls.api) }
  },
})

export const updateEndpointGroup = operation({
  name: 'updateEndpointGroup', method: 'PATCH', path: one, summary: 'Change an endpoint group.', access: policy.changeCatalog, target: groupTarget,
  body: exact({ endpoint_group: exact({ name: Type.Optional(fields.name), description: fields.description, filters: Type.Optional(exact(filterFields)) }, { minProperties: 1 }) }),
  async handle(_ctx, { target, body: { endpoint_group: asked }, urls }, { store }) {
    const row = await store.tx(async (tx) => {
      const current = await filter.find(tx, target.id)
      if (!current) throw missing('Endpoint Group', target.id)
      const next: EndpointGroupRow = {
        ...current, name: asked.name ?? current.name, description: asked.description === undefined ? current.description : asked.description,
        filters: asked.filters ? JSON.stringify(asked.filters) : current.filters,
      }
      await filter.save(tx, current, next)
      return next
    })
    return { endpoint_group: view(row, urls.api) }
  },
})

export const deleteEndpointGroup = operation({
  name: 'deleteEndpointGroup', method: 'DELETE', path: one, summary: 'Delete an endpoint group with its associations.', access: policy.changeCatalog, target: groupTarget,
  async handle(_ctx, { target }, { store }) { await store.tx((tx) => filter.remove(tx, target.id)) },
})

export const listEndpointsInGroup = operation({
  name: 'listEndpointsInGroup', method: 'GET', path: `${one}/endpoints`, summary: 'List the endpoints that fit a group\'s filters.',
  access: policy.readCatalog, target: groupTarget,
  async handle(_ctx, { target, urls }, { store }) {
    const wanted = JSON.parse(target.filters) as filter.GroupFilters
    return collection('endpoints', (await store.read((tx) => filter.allEndpoints(tx))).filter((e) => filter.fits(e, wanted)), (e) => endpointView(e, urls.api), urls)
  },
})

export const listProjectsOfEndpointGroup = operation({
  name: 'listProjectsOfEndpointGroup', method: 'GET', path: `${one}/projects`, summary: 'List the projects that see a group\'s endpoints.',
  access: policy.readCatalog, target: groupTarget,
  handle: async (_ctx, { target, urls }, { store }) =>
    collection('projects', await store.read(async (tx) => projects.tagsOf(tx, await filter.projectsOf(tx, { endpointGroupId: target.id }))), (p) => projectView(p, urls.api), urls),
})

export const listProjectsOfEndpoint = operation({
  name: 'listProjectsOfEndpoint', method: 'GET', path: `${base}/endpoints/{endpoint_id}/projects`, summary: 'List the projects an endpoint is associated with.',
  access: policy.readCatalog, target: endpointTarget,
  handle: async (_ctx, { target, urls }, { store }) =>
    collection('projects', await store.read(async (tx) => projects.tagsOf(tx, await filter.projectsOf(tx, { endpointId: target.id }))), (p) => projectView(p, urls.api), urls),
})

export const listEndpointsOfProject = operation({
  name: 'listEndpointsOfProject', method: 'GET', path: `${base}/projects/{project_id}/endpoints`,
  summary: 'List the endpoints a project is associated with, by groups too.', access: policy.readCatalog, target: projectTarget,
  handle: async (_ctx, { target, urls }, { store }) => collection('endpoints', await store.read(async (tx) => {
    const sight = await filter.sightOf(tx, target.id)
    return sight ? (await filter.allEndpoints(tx)).filter(sight) : []
  }), (e) => endpointView(e, urls.api), urls),
})

export const listEndpointGroupsOfProject = operation({
  name: 'listEndpointGroupsOfProject', method: 'GET', path: `${base}/projects/{project_id}/endpoint_groups`,
  summary: 'List the endpoint groups a project is associated with.', access: policy.readCatalog, target: projectTarget,
  handle: async (_ctx, { target, urls }, { store }) => collection('endpoint_groups', await store.read((tx) => filter.groupsOf(tx, target.id)), (row) => view(row, urls.api), urls),
})

export const endpointFilters = [
  ...associationsOf({
    noun: 'EndpointOfProject', path: `${base}/projects/{project_id}/endpoints/{endpoint_id}`, about: 'a project with an endpoint', table: 'identityProjectEndpoints',
    key: { projectId: 'project_id', endpointId: 'endpoint_id' }, strict: true,
  }),
  ...associationsOf({
    noun: 'EndpointGroupOfProject', path: `${one}/projects/{project_id}`, about: 'a project with an endpoint group', table: 'identityProjectEndpointGroups',
    key: { projectId: 'project_id', endpointGroupId: 'endpoint_group_id' }, strict: true,
    view: (params, urls) => ({ project_endpoint_group: {
      endpoint_group_id: params.endpoint_group_id, project_id: params.project_id, links: { self: `${urls.api}${groups}/${params.endpoint_group_id}/projects/${params.project_id}` },
    } }),
  }),
]
