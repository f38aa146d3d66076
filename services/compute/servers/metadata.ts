// A server's own key-value pairs. https://docs.openstack.org/api-ref/compute/#server-metadata-servers-metadata
import { badRequest, notFound, overQuota } from '#base/errors.ts'
import type { Context } from '#base/context.ts'
import { exact } from '#kit/http/schema.ts'
import { operation, type Deps } from '../deps.ts'
import { metadata } from '../fields.ts'
import { limitOf } from '../quotas/store.ts'
import * as policy from './policy.ts'
import { mayDo } from './state.ts'
import * as servers from './store.ts'
import { notLocked, target } from './target.ts'

const keyMissing = (): Error => notFound('Metadata item was not found')

/** Sets keys of a server that is in a state for it; answers everything it has afterwards. */
async function set(ctx: Context, server: servers.Server, given: Record<string, string>, only: boolean, { store }: Deps): Promise<Record<string, string>> {
  notLocked(ctx.actor, server)
  mayDo('update_instance_metadata', server, server.power, 'update metadata')
  return store.tx(async (tx) => {
    await servers.lock(tx, server.id)
    await servers.setMetadata(tx, server.id, given, only)
    const all = await servers.metadataOf(tx, server.id), limit = await limitOf(tx, server.projectId, 'metadata_items')
    if (limit >= 0 && Object.keys(all).length > limit) throw overQuota(`Maximum number of metadata items exceeds ${limit}`)
    await servers.amend(tx, server.id, {})
    return all
  })
}

export const listServerMetadata = operation({
  name: 'listServerMetadata', method: 'GET', path: '/servers/{server_id}/metadata', summary: 'List a server\'s metadata.', access: policy.show, target,
  handle: async (_ctx, { target }, { store }) => ({ metadata: await store.read((tx) => servers.metadataOf(tx, target.id)) }),
})

export const createServerMetadata = operation({
  name: 'createServerMetadata', method: 'POST', path: '/servers/{server_id}/metadata', summary: 'Add to a server\'s metadata.', access: policy.change, target, body: exact({ metadata }), status: 200,
  faults: ['conflict'],
  handle: async (ctx, { target, body }, deps) => ({ metadata: await set(ctx, target, body.metadata, false, deps) }),
})

export const replaceServerMetadata = operation({
  name: 'replaceServerMetadata', method: 'PUT', path: '/servers/{server_id}/metadata', summary: 'Replace a server\'s metadata.', access: policy.change, target, body: exact({ metadata }),
  faults: ['conflict'],
  handle: async (ctx, { target, body }, deps) => ({ metadata: await set(ctx, target, body.metadata, true, deps) }),
})

export const showServerMetadataItem = operation({
  name: 'showServerMetadataItem', method: 'GET', path: '/servers/{server_id}/metadata/{key}', summary: 'Show one item of a server\'s metadata.', access: policy.show, target,
  async handle(_ctx, { target, params }, { store }) {
    const all = await store.read((tx) => servers.metadataOf(tx, target.id)), key = params.key!
    if (!Object.hasOwn(all, key)) throw keyMissing()
    return { meta: Object.fromEntries([[key, all[key]]]) }
  },
})

export const updateServerMetadataItem = operation({
  name: 'updateServerMetadataItem', method: 'PUT', path: '/servers/{server_id}/metadata/{key}', summary: 'Set one item of a server\'s metadata.', access: policy.change, target, body: exact({ meta: { ...metadata, minProperties: 1, maxProperties: 1 } as typeof metadata }),
  faults: ['conflict'],
  async handle(ctx, { target, params, body }, deps) {
    if (!Object.hasOwn(body.meta, params.key!)) throw badRequest('Request body and URI mismatch')
    await set(ctx, target, body.meta, false, deps)
    return { meta: body.meta }
  },
})

export const deleteServerMetadataItem = operation({
  name: 'deleteServerMetadataItem', method: 'DELETE', path: '/servers/{server_id}/metadata/{key}', summary: 'Take one item of a server\'s metadata away.', access: policy.change, target, status: 204,
  faults: ['conflict'],
  async handle(ctx, { target, params }, { store }) {
    notLocked(ctx.actor, target)
    mayDo('delete_instance_metadata', target, target.power, 'delete metadata')
    await store.tx(async (tx) => {
      if (!await servers.removeMetadata(tx, target.id, params.key!)) throw keyMissing()
      await servers.amend(tx, target.id, {})
    })
  },
})
