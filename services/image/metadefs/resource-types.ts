// https://docs.openstack.org/api-ref/image/v2/metadefs-index.html#metadata-definition-resource-types
import { notFound } from '#base/errors.ts'
import { seconds } from '#base/time.ts'
import { operation } from '../deps.ts'
import * as policy from './policy.ts'
import { associationBody } from './shapes.ts'
import * as metadefs from './store.ts'
import { namespaceTarget, notProtected, refuseReadOnly } from './target.ts'
import { associationView, definitionOf } from './view.ts'

const path = '/metadefs/namespaces/{namespace_name}/resource_types'

export const listResourceTypes = operation({
  name: 'listMetadefResourceTypes', method: 'GET', path: '/metadefs/resource_types', summary: 'List the resource types that namespaces were ever associated with.',
  access: policy.list,
  async handle(_ctx, _input, { store }) {
    const rows = await store.read((tx) => metadefs.listResourceTypes(tx))
    return { resource_types: rows.map((row) => ({ name: row.name, created_at: seconds(row.createdAt), updated_at: seconds(row.updatedAt) })) }
  },
})

export const listAssociations = operation({
  name: 'listMetadefAssociations', method: 'GET', path, summary: 'List the resource types a namespace is for.',
  access: policy.see, target: namespaceTarget,
  async handle(_ctx, { target }, { store }) {
    const rows = await store.read((tx) => metadefs.list(tx, [target.id], { kinds: ['resource_type'] }))
    return { resource_type_associations: rows.map(associationView) }
  },
})

export const createAssociation = operation({
  name: 'createMetadefAssociation', method: 'POST', path, summary: 'Associate a namespace with a resource type, which comes to be if nobody named it before.', status: 201,
  access: policy.change, target: namespaceTarget, body: associationBody,
  faults: ['conflict'],
  async handle(_ctx, { target, body }, { store }) {
    refuseReadOnly(body)
    const [row] = await store.tx((tx) => metadefs.add(tx, target, [definitionOf('resource_type', body.name, body)]))
    return associationView(row!)
  },
})

export const deleteAssociation = operation({
  name: 'deleteMetadefAssociation', method: 'DELETE', path: `${path}/{resource_type_name}`,
  summary: 'Remove the association of a namespace with a resource type; the type itself stays.', status: 204,
  access: policy.change, target: namespaceTarget,
  async handle(_ctx, { target, params }, { store }) {
    const name = params.resource_type_name!
    notProtected(target, `resource-type-association ${name}`)
    if (await store.tx((tx) => metadefs.remove(tx, target.id, 'resource_type', name)) === 0) throw notFound(`Failed to find resource type ${name} to delete`)
  },
})
