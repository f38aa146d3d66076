// Who may read and write metadata definitions: all who see a namespace read it, administrators write.
import { verdicts, type AccessCase, type AccessWorld, type Persona } from '#kit/testing/access.ts'

const made = async (w: AccessWorld, visibility = 'public'): Promise<Record<string, string>> => {
  const namespace = w.unique('namespace'), property = { title: 'A', type: 'string' }
  await w.call('admin', 'image', 'createMetadefNamespace', { body: {
    namespace, visibility, owner: w.projectId, objects: [{ name: 'one', properties: { a: property } }], properties: { a: property },
    tags: [{ name: 'blue' }], resource_type_associations: [{ name: 'OS::Nova::Flavor', prefix: 'hw:' }],
  } })
  return { namespace_name: namespace, object_name: 'one', property_name: 'a', tag_name: 'blue', resource_type_name: 'OS::Nova::Flavor' }
}
const on = async (w: AccessWorld) => ({ params: await made(w) })
const with_ = (body: object) => async (w: AccessWorld) => ({ params: await made(w), body })
const reads = (operation: string): AccessCase[] => [
  { operation, request: on, expect: verdicts.listing() },
  { operation, about: 'a private namespace', request: async (w) => ({ params: await made(w, 'private') }),
    expect: { ...verdicts.listing(), other: 404 } as Record<Persona, number> },
]

export const access: AccessCase[] = [
  { operation: 'listMetadefNamespaces', expect: verdicts.listing() },
  { operation: 'listMetadefResourceTypes', expect: verdicts.listing() },
  ...['showMetadefNamespace', 'listMetadefAssociations', 'listMetadefObjects', 'showMetadefObject', 'listMetadefProperties', 'showMetadefProperty',
    'listMetadefTags', 'showMetadefTag'].flatMap(reads),
  { operation: 'createMetadefNamespace', request: (w) => ({ body: { namespace: w.unique('namespace') } }), expect: verdicts.admin(201) },
  {
    operation: 'updateMetadefNamespace', expect: verdicts.admin(200),
    async request(w) {
      const params = await made(w)
      return { params, body: { namespace: params.namespace_name } }
    },
  },
  { operation: 'createMetadefAssociation', request: with_({ name: 'OS::Glance::Image' }), expect: verdicts.admin(201) },
  { operation: 'createMetadefObject', request: with_({ name: 'two' }), expect: verdicts.admin(201) },
  { operation: 'createMetadefProperty', request: with_({ name: 'b', title: 'B', type: 'string' }), expect: verdicts.admin(201) },
  { operation: 'createMetadefTag', request: async (w) => ({ params: { ...await made(w), tag_name: 'red' } }), expect: verdicts.admin(201) },
  { operation: 'createMetadefTags', request: with_({ tags: [{ name: 'red' }] }), expect: verdicts.admin(201) },
  { operation: 'updateMetadefObject', request: with_({ name: 'two' }), expect: verdicts.admin(200) },
  { operation: 'updateMetadefProperty', request: with_({ name: 'b', title: 'B', type: 'string' }), expect: verdicts.admin(200) },
  { operation: 'updateMetadefTag', request: with_({ name: 'red' }), expect: verdicts.admin(200) },
  ...['deleteMetadefNamespace', 'deleteMetadefAssociation', 'deleteMetadefObject', 'deleteMetadefObjects', 'deleteMetadefProperty', 'deleteMetadefProperties',
    'deleteMetadefTag', 'deleteMetadefTags']
    .map((operation): AccessCase => ({ operation, request: on, expect: verdicts.admin(204) })),
]
