// Definitions as clients see them. What was not said is left out.
import { seconds } from '#base/time.ts'
import type { DefinitionRow, Kind, NamespaceRow } from './schema.ts'
import { associationFields, objectFields, propertyFields } from './shapes.ts'
import type { NewDefinition } from './store.ts'

const root = '/v2/metadefs/namespaces'
const times = (row: { createdAt: string, updatedAt: string }) => ({ created_at: seconds(row.createdAt), updated_at: seconds(row.updatedAt) })
const said = (values: object): object => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined))
const picked = (fields: object, value: object): [string, unknown][] =>
  Object.keys(fields).filter((key) => Object.hasOwn(value, key)).map((key) => [key, (value as Record<string, unknown>)[key]])
const only = (fields: object, value: object): Record<string, unknown> => Object.fromEntries(picked(fields, value))
const each = (dictionary: object, of: (value: object) => unknown): object => Object.fromEntries(Object.entries(dictionary).map(([name, value]) => [name, of(value as object)]))

const { name: _object, ...objectRest } = objectFields
const { name: _association, ...associationRest } = associationFields
/** What is kept of a definition beside its name: known words only, for clients send back what they were shown. */
const kept: Record<Kind, (body: object) => object> = {
  property: (body) => only(propertyFields, body),
  object(body) {
    const object = only(objectRest, body)
    return { required: [], ...object, properties: each((object.properties ?? {}) as object, (value) => only(propertyFields, value)) }
  },
  tag: () => ({}),
  resource_type: (body) => only(associationRest, body),
}
export const definitionOf = (kind: Kind, name: string, body: object): NewDefinition => ({ kind, name, definition: JSON.stringify(kept[kind](body)) })

const stated = (row: DefinitionRow): object => JSON.parse(row.definition) as object
export const propertyView = (row: DefinitionRow): object => ({ name: row.name, ...stated(row) })
export const tagView = (row: DefinitionRow): object => ({ name: row.name, ...times(row) })
export const associationView = (row: DefinitionRow): object => ({ name: row.name, ...stated(row), ...times(row) })
export const objectView = (row: DefinitionRow, { namespace }: NamespaceRow): object =>
  ({ name: row.name, ...stated(row), ...times(row), schema: '/v2/schemas/metadefs/object', self: `${root}/${namespace}/objects/${row.name}` })
/** Properties by their names, each with the prefix before it. */
export const propertiesView = (rows: DefinitionRow[], prefix = ''): object => Object.fromEntries(rows.map((row) => [prefix + row.name, stated(row)]))

export const namespaceView = (row: NamespaceRow, contents: object = {}): object => ({
  ...said({
    namespace: row.namespace, display_name: row.displayName, description: row.description, visibility: row.visibility,
    protected: row.protected === 1, owner: row.ownerId,
  }),
  ...times(row), ...contents, schema: '/v2/schemas/metadefs/namespace', self: `${root}/${row.namespace}`,
})

function prefixed(object: Record<string, unknown>, prefix: string): object {
  if (prefix === '') return object
  const properties = Object.entries(object.properties as object).map(([name, value]) => [prefix + name, value])
  return { ...object, required: (object.required as string[]).map((name) => prefix + name), properties: Object.fromEntries(properties) }
}

/** All that lies in a namespace; property names as they are on one resource type, when it is named. What is empty is left out. */
export function contentsView(row: NamespaceRow, rows: DefinitionRow[], resourceType?: string): object {
  const of = (kind: Kind): DefinitionRow[] => rows.filter((r) => r.kind === kind)
  const associations = of('resource_type').map(associationView)
  const prefix = (associations.find((a) => (a as { name: string }).name === resourceType) as { prefix?: string } | undefined)?.prefix ?? ''
  const [objects, properties, tags] = [of('object'), of('property'), of('tag')]
  return {
    ...(associations.length > 0 && { resource_type_associations: associations }),
    ...(objects.length > 0 && { objects: objects.map((object) => prefixed(objectView(object, row) as Record<string, unknown>, prefix)) }),
    ...(properties.length > 0 && { properties: propertiesView(properties, prefix) }),
    ...(tags.length > 0 && { tags: tags.map(({ name }) => ({ name })) }),
  }
}
