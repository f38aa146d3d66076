// https://docs.openstack.org/api-ref/image/v2/metadefs-index.html#metadata-definition-namespaces
import { badRequest, notFound } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { Reply } from '#kit/http/operation.ts'
import { lenient, oneOf, Type } from '#kit/http/schema.ts'
import { admin } from '#kit/policy/rules.ts'
import { flag } from '#kit/store/store.ts'
import { operation } from '../deps.ts'
import { linksOf } from '../images/links.ts'
import * as policy from './policy.ts'
import type { Kind, NamespaceRow } from './schema.ts'
import { namespaceBody, type NamespaceBody } from './shapes.ts'
import * as metadefs from './store.ts'
import { namespaceTarget, notProtected, refuseReadOnly } from './target.ts'
import { associationView, contentsView, definitionOf, namespaceView } from './view.ts'

const kinds: Kind[] = ['object', 'property', 'tag', 'resource_type']
const path = '/metadefs/namespaces/{namespace_name}'
const text = Type.Optional(Type.String())
/** Paging and sorting as all lists of definitions take them; `by` is what they call a name. */
export const pageQuery = (by: string) => ({
  limit: Type.Optional(Type.Integer({ minimum: 0 })), marker: text, sort_key: Type.Optional(oneOf(by, 'created_at', 'updated_at')), sort_dir: Type.Optional(oneOf('asc', 'desc')),
})
/** The columns that lists may be sorted by, besides the name. */
export const columns: Record<string, 'createdAt' | 'updatedAt'> = { created_at: 'createdAt', updated_at: 'updatedAt' }

const stated = (body: NamespaceBody, projectId: string | undefined): Pick<NamespaceRow, 'namespace' | 'displayName' | 'description' | 'visibility' | 'protected' | 'ownerId'> => ({
  namespace: body.namespace, displayName: body.display_name ?? null, description: body.description ?? null,
  visibility: body.visibility ?? 'private', protected: flag(body.protected ?? false), ownerId: body.owner ?? projectId ?? null,
})

export const createNamespace = operation({
  name: 'createMetadefNamespace', method: 'POST', path: '/metadefs/namespaces', summary: 'Create a namespace of metadata definitions, with what lies in it.', status: 201,
  access: policy.change, body: namespaceBody,
  faults: ['conflict'],
  async handle(ctx, { body, urls }, { store }) {
    refuseReadOnly(body)
    const at = now(), row: NamespaceRow = { id: newId(), ...stated(body, ctx.actor.projectId), createdAt: at, updatedAt: at }
    const definitions = [
      ...(body.resource_type_associations ?? []).map((one) => definitionOf('resource_type', one.name, one)),
      ...(body.objects ?? []).map((one) => definitionOf('object', one.name, one)),
      ...(body.tags ?? []).map((one) => definitionOf('tag', one.name, one)),
      ...Object.entries(body.properties ?? {}).map(([name, one]) => definitionOf('property', name, one)),
    ]
    const rows = await store.tx(async (tx) => {
      await metadefs.addNamespace(tx, row)
      return metadefs.add(tx, row, definitions)
    })
    const location = `${urls.api}/metadefs/namespaces/${encodeURIComponent(row.namespace).replaceAll('%3A', ':')}`
    return new Reply({ headers: { location }, body: namespaceView(row, contentsView(row, rows)) })
  },
})

export const listNamespaces = operation({
  name: 'listMetadefNamespaces', method: 'GET', path: '/metadefs/namespaces', summary: 'List the namespaces one may see, with the resource types they are for.',
  access: policy.list, query: lenient({ ...pageQuery('namespace'), visibility: text, resource_types: text }),
  faults: ['notFound'],
  async handle(ctx, { query, urls }, { store }) {
    const { visibility, resource_types: types } = query
    if (visibility !== undefined && visibility !== 'public' && visibility !== 'private') throw badRequest(`Invalid visibility value: ${visibility.slice(0, 60)}`)
    const direction = query.sort_dir ?? 'desc'
    const column = query.sort_key === 'namespace' ? 'namespace' : columns[query.sort_key ?? 'created_at']!
    const limit = Math.min(query.limit ?? 25, 1000)
    const { rows, associations } = await store.read(async (tx) => {
      const marker = query.marker === undefined ? undefined : await metadefs.findNamespace(tx, query.marker)
      if (query.marker !== undefined && (!marker || !policy.see.allows(ctx.actor, namespaceTarget.owner(marker)))) {
        throw notFound(`Metadata definition namespace=${query.marker} was not found.`)
      }
      const rows = await metadefs.listNamespaces(tx, {
        ...(!admin.allows(ctx.actor) && { projectId: ctx.actor.projectId ?? '' }), visibility, ...(types !== undefined && { resourceTypes: types.split(',').slice(0, 100) }),
        page: { sort: [{ column, direction }, { column: 'createdAt', direction }, { column: 'id', direction }], marker, limit },
      })
      return { rows, associations: Map.groupBy(await metadefs.list(tx, rows.map((row) => row.id), { kinds: ['resource_type'] }), (a) => a.namespaceId) }
    })
    return {
      namespaces: rows.map((row) => namespaceView(row, associations.has(row.id) ? { resource_type_associations: associations.get(row.id)!.map(associationView) } : {})),
      ...linksOf('/v2/metadefs/namespaces', urls.search, rows.length === limit ? rows.at(-1)?.namespace : undefined), schema: '/v2/schemas/metadefs/namespaces',
    }
  },
})

export const showNamespace = operation({
  name: 'showMetadefNamespace', method: 'GET', path, summary: 'Show a namespace with all that lies in it; with ?resource_type, property names as such a resource has them.',
  access: policy.see, target: namespaceTarget, query: lenient({ resource_type: text }),
  handle: async (_ctx, { target, query }, { store }) =>
    namespaceView(target, contentsView(target, await store.read((tx) => metadefs.list(tx, [target.id], { kinds })), query.resource_type)),
})

export const updateNamespace = operation({
  name: 'updateMetadefNamespace', method: 'PUT', path, summary: 'Replace what is said of a namespace itself; what lies in it stays.',
  access: policy.change, target: namespaceTarget, body: namespaceBody,
  faults: ['conflict'],
  async handle(ctx, { target, body }, { store }) {
    refuseReadOnly(body)
    return namespaceView(await store.tx(async (tx) => {
      await metadefs.updateNamespace(tx, target.id, stated(body, ctx.actor.projectId))
      return await metadefs.findNamespace(tx, body.namespace) ?? target
    }))
  },
})

export const deleteNamespace = operation({
  name: 'deleteMetadefNamespace', method: 'DELETE', path, summary: 'Delete a namespace and all that lies in it.', status: 204,
  access: policy.change, target: namespaceTarget,
  async handle(_ctx, { target }, { store }) {
    notProtected(target, `namespace ${target.namespace}`)
    await store.tx((tx) => metadefs.removeNamespace(tx, target.id))
  },
})
