// What definitions look like: the same schemas check requests and are shown to clients, which build their models from them.
import { exact, lenient, Type, type Static, type TSchema } from '#kit/http/schema.ts'

const text = (description: string, maxLength: number) => Type.Optional(Type.String({ description, maxLength }))
const name = (description: string) => Type.String({ description, minLength: 1, maxLength: 80 })
const amount = (description: string) => Type.Optional(Type.Integer({ description, minimum: 0 }))
const truth = (description: string) => Type.Optional(Type.Boolean({ description }))
const words = (description: string) => Type.Array(Type.String({ maxLength: 255 }), { description, maxItems: 1000 })
const kind = (description: string) => Type.Unsafe<string | null>({ description, enum: ['array', 'boolean', 'integer', 'number', 'object', 'string', null] })
const values = Type.Optional(Type.Array(Type.Union([Type.String({ maxLength: 255 }), Type.Number(), Type.Boolean()]), { description: 'The values it may have.', maxItems: 1000 }))
const dictionary = <T extends TSchema>(value: T, description: string) =>
  Type.Unsafe<Record<string, Static<T>>>({ type: 'object', description, additionalProperties: value, maxProperties: 1000, propertyNames: { minLength: 1, maxLength: 80 } })

/** What may be said of a property beside its name. */
export const propertyFields = {
  title: Type.String({ description: 'What a user interface calls it.', maxLength: 255 }),
  type: kind('The type of its values.'),
  description: text('What it is for.', 10_000),
  operators: Type.Optional(words('Comparisons that may stand before a value.')),
  required: Type.Optional(words('The names that must be given when it is an object.')),
  minimum: Type.Optional(Type.Number({ description: 'The smallest value.' })),
  maximum: Type.Optional(Type.Number({ description: 'The largest value.' })),
  minLength: amount('The shortest text, in characters.'),
  maxLength: amount('The longest text, in characters.'),
  pattern: text('A regular expression that texts match.', 1000),
  confidential: truth('True for values that are not to be shown.'),
  enum: values,
  readonly: truth('True for values that users cannot set.'),
  default: Type.Optional(Type.Union([Type.String({ maxLength: 1000 }), Type.Number(), Type.Boolean(), Type.Null()], { description: 'The value when none is given.' })),
  items: Type.Optional(lenient({ type: kind('The type of the entries.'), enum: values }, { description: 'What the entries of an array are.' })),
  minItems: amount('The fewest entries.'),
  maxItems: amount('The most entries.'),
  uniqueItems: truth('True when no two entries are the same.'),
  additionalItems: truth('True when there may be more entries than `items` describes.'),
}
const property = lenient(propertyFields)
export const objectFields = {
  name: name('The name of the object.'),
  description: text('What it is for.', 10_000),
  required: Type.Optional(words('The properties that must be given.')),
  properties: Type.Optional(dictionary(property, 'Its properties by their names.')),
}
const tagFields = { name: name('The tag.') }
export const associationFields = {
  name: name('The name of the resource type, as orchestration writes it: OS::Nova::Flavor.'),
  prefix: text('What stands before the names of properties on such resources, with its separator.', 80),
  properties_target: text('Which of several sets of properties of such a resource is meant.', 80),
}
/** What is said of a namespace itself. */
const namespaceFields = {
  namespace: name('The unique name of the namespace.'),
  display_name: text('What a user interface calls it.', 80),
  description: text('What it is for.', 500),
  visibility: Type.Optional(Type.Unsafe<'public' | 'private'>({ type: 'string', description: 'Who sees it.', enum: ['public', 'private'] })),
  protected: truth('True for a namespace that cannot be deleted, nor anything in it.'),
  owner: text('The project that owns it.', 255),
}
/** What may be given along with it. Clients send back what they were shown, so there is more than can be set. */
const contents = {
  resource_type_associations: Type.Optional(Type.Array(lenient(associationFields), { description: 'The resource types it is for.', maxItems: 1000 })),
  properties: Type.Optional(dictionary(property, 'Its properties by their names.')),
  objects: Type.Optional(Type.Array(lenient(objectFields), { description: 'Its objects.', maxItems: 1000 })),
  tags: Type.Optional(Type.Array(lenient(tagFields), { description: 'Its tags.', maxItems: 1000 })),
}

/** Said by the service alone: a request with one of them is refused by name, see `refuseReadOnly`. */
export const readOnly = ['created_at', 'updated_at', 'self', 'schema'] as const
const said = (names: readonly string[]) => Object.fromEntries(names.map((key) => [key, Type.Optional(Type.Unknown())]))
const times = readOnly.slice(0, 2)

export const namespaceBody = exact({ ...namespaceFields, ...contents, ...said(readOnly) })
export const objectBody = exact({ ...objectFields, ...said(readOnly) })
export const propertyBody = exact({ name: name('The name of the property.'), ...propertyFields, ...said(times) })
export const tagBody = exact({ ...tagFields, ...said(times) })
export const tagsBody = exact({ tags: Type.Array(exact(tagFields), { maxItems: 1000 }), ...said(times) })
export const associationBody = exact({ ...associationFields, ...said(times) })

export type NamespaceBody = Static<typeof namespaceBody>

const shown = {
  created_at: { type: 'string', format: 'date-time', readOnly: true, description: 'When it was made.' },
  updated_at: { type: 'string', format: 'date-time', readOnly: true, description: 'When it was last changed.' },
}
const linked = { ...shown, self: { type: 'string', readOnly: true }, schema: { type: 'string', readOnly: true } }
const document = (title: string, properties: object, required: string[]): object => ({ name: title, properties, additionalProperties: false, required })
const links = [{ rel: 'first', href: '{first}' }, { rel: 'next', href: '{next}' }, { rel: 'describedby', href: '{schema}' }]
const listed = (title: string, value: object): object =>
  ({ name: title, properties: { [title]: value, first: { type: 'string' }, next: { type: 'string' }, schema: { type: 'string' } }, links })
const listOf = (title: string, item: object): object => listed(title, { type: 'array', items: item })

const namespaceDocument = document('namespace', { ...namespaceFields, ...contents, ...linked }, ['namespace'])
const objectDocument = document('object', { ...objectFields, ...linked }, ['name'])
const tagDocument = document('tag', { ...tagFields, ...shown }, ['name'])
const associationDocument = document('resource_type_association', { ...associationFields, ...shown }, ['name'])

const propertyDocument = (required: string[]): object => document('property', { name: name('The name of the property.'), ...propertyFields }, required)

/** The documents below /v2/schemas/metadefs, by the last part of their path. */
export const documents: Record<string, object> = {
  namespace: namespaceDocument, namespaces: listOf('namespaces', namespaceDocument),
  object: objectDocument, objects: listOf('objects', objectDocument),
  property: propertyDocument(['type', 'title', 'name']),
  properties: listed('properties', { type: 'object', additionalProperties: propertyDocument(['type', 'title']) }),
  tag: tagDocument, tags: listOf('tags', tagDocument),
  resource_type: associationDocument, resource_types: listOf('resource_type_associations', associationDocument),
}
