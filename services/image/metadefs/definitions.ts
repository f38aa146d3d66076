// https://docs.openstack.org/api-ref/image/v2/metadefs-index.html: objects, properties and tags of a namespace. The three kinds are one
// shape; the table at the end says in what they differ.
import { badRequest, conflict, notFound } from '#base/errors.ts'
import { lenient, Type, type Static, type TSchema } from '#kit/http/schema.ts'
import { operation } from '../deps.ts'
import { columns, pageQuery } from './namespaces.ts'
import * as policy from './policy.ts'
import type { DefinitionRow, Kind, NamespaceRow } from './schema.ts'
import { objectBody, propertyBody, tagBody, tagsBody } from './shapes.ts'
import * as metadefs from './store.ts'
import { namespaceTarget, noDefinition, notProtected, refuseReadOnly } from './target.ts'
import { definitionOf, objectView, propertiesView, propertyView, tagView } from './view.ts'

interface Shape<B extends TSchema> {
  kind: Kind
  /** As in the path: `objects`. */
  plural: string
  body: B
  view(row: DefinitionRow, namespace: NamespaceRow): object
  listed(rows: DefinitionRow[], namespace: NamespaceRow): object
  /** Listed by pages rather than whole. */
  paged: boolean
}
const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1)
type Named = { name: string }

/** The operations all kinds have: list, show, replace, delete, delete all. */
function shared<B extends TSchema>({ kind, plural, body, view, listed, paged }: Shape<B>) {
  const path = `/metadefs/namespaces/{namespace_name}/${plural}`, one = `${path}/{${kind}_name}`, on = { target: namespaceTarget }
  const nameIn = (params: Record<string, string>): string => params[`${kind}_name`]!
  const list = operation({
    name: `listMetadef${capital(plural)}`, method: 'GET', path, summary: `List the ${plural} of a namespace.`,
    access: policy.see, ...on, query: lenient(paged ? pageQuery('name') : {}),
    async handle(_ctx, { target, query }, { store }) {
      const { limit, marker: after, sort_key: key = 'created_at', sort_dir: direction = 'desc' } = query as Static<ReturnType<typeof wholePage>>
      const rows = await store.read(async (tx) => {
        if (!paged) return metadefs.list(tx, [target.id], { kinds: [kind] })
        const marker = after === undefined ? undefined : await metadefs.find(tx, target.id, kind, after)
        if (after !== undefined && !marker) throw noDefinition(kind, after, target)
        const column = columns[key], by = [...(column ? [{ column, direction }] : []), { column: 'name' as const, direction }]
        return metadefs.list(tx, [target.id], { kinds: [kind], page: { sort: by, marker, limit } })
      })
      return listed(rows, target)
    },
  })
  const show = operation({
    name: `showMetadef${capital(kind)}`, method: 'GET', path: one, summary: `Show a ${kind} of a namespace.`,
    access: policy.see, ...on, query: lenient({ resource_type: Type.Optional(Type.String()) }),
    async handle(_ctx, { target, params, query }, { store }) {
      return store.read(async (tx) => {
        let name = nameIn(params)
        // A property may be asked for by the name it has on a resource type.
        if (kind === 'property' && query.resource_type) name = await unprefixed(tx, target, name, query.resource_type)
        const row = await metadefs.find(tx, target.id, kind, name)
        if (!row) throw noDefinition(kind, name, target)
        return view(row, target)
      })
    },
  })
  const update = operation({
    name: `updateMetadef${capital(kind)}`, method: 'PUT', path: one, summary: `Replace a ${kind} of a namespace, under another name if the body says so.`,
    access: policy.change, ...on, body, faults: ['conflict'],
    async handle(_ctx, { target, params, body }, { store }) {
      refuseReadOnly(body as object)
      return view(await store.tx(async (tx) => {
        const row = await metadefs.find(tx, target.id, kind, nameIn(params))
        if (!row) throw noDefinition(kind, nameIn(params), target)
        return metadefs.replace(tx, row, definitionOf(kind, (body as Named).name, body as object))
      }), target)
    },
  })
  const remove = operation({
    name: `deleteMetadef${capital(kind)}`, method: 'DELETE', path: one, summary: `Delete a ${kind} of a namespace.`, status: 204,
    access: policy.change, ...on,
    async handle(_ctx, { target, params }, { store }) {
      notProtected(target, `${kind} ${nameIn(params)}`)
      if (await store.tx((tx) => metadefs.remove(tx, target.id, kind, nameIn(params))) === 0) throw noDefinition(kind, nameIn(params), target)
    },
  })
  const removeAll = operation({
    name: `deleteMetadef${capital(plural)}`, method: 'DELETE', path, summary: `Delete all ${plural} of a namespace.`, status: 204,
    access: policy.change, ...on,
    async handle(_ctx, { target }, { store }) {
      notProtected(target, `namespace ${target.namespace}`)
      await store.tx((tx) => metadefs.remove(tx, target.id, kind))
    },
  })
  return [list, show, update, remove, removeAll]
}
const wholePage = () => lenient(pageQuery('name'))

function checkedTag(name: string): string {
  if (name.length > 80) throw badRequest('The name of a tag is at most 80 characters long.')
  return name
}

async function unprefixed(tx: Parameters<typeof metadefs.find>[0], namespace: NamespaceRow, name: string, resourceType: string): Promise<string> {
  const association = await metadefs.find(tx, namespace.id, 'resource_type', resourceType)
  if (!association) throw noDefinition('resource_type', resourceType, namespace)
  const { prefix } = JSON.parse(association.definition) as { prefix?: string }
  if (prefix && name.startsWith(prefix)) return name.slice(prefix.length)
  throw notFound(`Property ${name} does not start with the expected resource type association prefix of '${prefix ?? ''}'.`)
}

/** Objects and properties are created by their body, tags by their path. */
const create = <B extends TSchema>({ kind, plural, body, view }: Shape<B>) => operation({
  name: `createMetadef${capital(kind)}`, method: 'POST', path: `/metadefs/namespaces/{namespace_name}/${plural}`, summary: `Create a ${kind} in a namespace.`, status: 201,
  access: policy.change, target: namespaceTarget, body, faults: ['conflict'],
  async handle(_ctx, { target, body }, { store }) {
    refuseReadOnly(body as object)
    const [row] = await store.tx((tx) => metadefs.add(tx, target, [definitionOf(kind, (body as Named).name, body as object)]))
    return view(row!, target)
  },
})

const objects = {
  kind: 'object', plural: 'objects', body: objectBody, view: objectView, paged: true,
  listed: (rows: DefinitionRow[], namespace: NamespaceRow) => ({ objects: rows.map((row) => objectView(row, namespace)), schema: '/v2/schemas/metadefs/objects' }),
} as const
const properties = {
  kind: 'property', plural: 'properties', body: propertyBody, view: propertyView, paged: false,
  listed: (rows: DefinitionRow[]) => ({ properties: propertiesView(rows) }),
} as const
const tags = {
  kind: 'tag', plural: 'tags', body: tagBody, view: tagView, paged: true,
  listed: (rows: DefinitionRow[]) => ({ tags: rows.map(({ name }) => ({ name })) }),
} as const

const createTag = operation({
  name: 'createMetadefTag', method: 'POST', path: '/metadefs/namespaces/{namespace_name}/tags/{tag_name}', summary: 'Create a tag in a namespace.', status: 201,
  access: policy.change, target: namespaceTarget,
  faults: ['badRequest', 'conflict'],
  async handle(_ctx, { target, params }, { store }) {
    const name = checkedTag(params.tag_name!)
    const [row] = await store.tx((tx) => metadefs.add(tx, target, [definitionOf('tag', name, {})]))
    return tagView(row!)
  },
})

const createTags = operation({
  name: 'createMetadefTags', method: 'POST', path: '/metadefs/namespaces/{namespace_name}/tags', status: 201,
  summary: 'Create many tags in a namespace: in the place of those that are there, or beside them with X-Openstack-Append: true.',
  access: policy.change, target: namespaceTarget, body: tagsBody,
  faults: ['conflict'],
  async handle(_ctx, { target, body, headers }, { store }) {
    refuseReadOnly(body)
    const append = /^(true|1|yes|on|t|y)$/i.test(String(headers['x-openstack-append'] ?? '').trim())
    const names = body.tags.map(({ name }) => name)
    if (new Set(names).size < names.length) throw conflict(`A tag was given twice for namespace=${target.namespace}.`)
    await store.tx(async (tx) => {
      if (!append && names.length > 0) await metadefs.remove(tx, target.id, 'tag')
      await metadefs.add(tx, target, names.map((name) => definitionOf('tag', name, {})))
    })
    return { tags: names.map((name) => ({ name })) }
  },
})

/** What there is for objects, properties and tags. */
export const definitionOperations = [...shared(objects), create(objects), ...shared(properties), create(properties), ...shared(tags), createTag, createTags]
