// https://docs.openstack.org/api-ref/placement/#allocations
import { badRequest, notFound } from '#base/errors.ts'
import { isUuid } from '#base/ids.ts'
import { exact, nullable, Type } from '#kit/http/schema.ts'
import { operation } from '../deps.ts'
import * as policy from '../policy.ts'
import * as providers from '../providers/store.ts'
import * as allocations from './store.ts'

const amount = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })

export const showAllocations = operation({
  name: 'showAllocations', method: 'GET', path: '/allocations/{consumer_uuid}', summary: 'What a consumer uses.',
  access: policy.allocations,
  async handle(_ctx, { params }, { store }) {
    const rows = await store.read((tx) => allocations.ofConsumer(tx, params.consumer_uuid!))
    const byProvider = Map.groupBy(rows, (r) => r.providerId)
    return { allocations: Object.fromEntries([...byProvider].map(([id, of]) => [id, { resources: Object.fromEntries(of.map((r) => [r.resourceClass, r.used])) }])) }
  },
})

export const showProviderAllocations = operation({
  name: 'showProviderAllocations', method: 'GET', path: '/resource_providers/{uuid}/allocations', summary: 'Who uses a provider.',
  access: policy.providers,
  async handle(_ctx, { params }, { store }) {
    const { provider, rows } = await store.read(async (tx) => ({ provider: await providers.get(tx, params.uuid!), rows: await allocations.ofProvider(tx, params.uuid!) }))
    const byConsumer = Map.groupBy(rows, (r) => r.consumerId)
    return { resource_provider_generation: provider.generation, allocations: Object.fromEntries([...byConsumer].map(([id, of]) => [id, { resources: Object.fromEntries(of.map((r) => [r.resourceClass, r.used])) }])) }
  },
})

/** A claim by one of Pileus's services, guarded by the consumer's generation. */
export const claim = operation({
  name: 'claimAllocations', method: 'PUT', path: '/internal/allocations/{consumer_uuid}', summary: 'Make a consumer use exactly this.', internal: true, status: 204,
  access: policy.allocations,
  body: exact({
    allocations: Type.Record(Type.String(), exact({ resources: Type.Record(Type.String(), amount) })),
    project_id: Type.String(), user_id: Type.String(), consumer_generation: Type.Optional(nullable(Type.Integer())),
  }),
  async handle(_ctx, { params, body }, { store }) {
    await store.tx((tx) => allocations.replace(tx, {
      consumerId: params.consumer_uuid!, generation: body.consumer_generation, projectId: body.project_id, userId: body.user_id,
      allocations: Object.fromEntries(Object.entries(body.allocations).map(([id, a]) => [id, a.resources])),
    }), { durable: true })
  },
})

export const replaceAllocations = operation({
  name: 'replaceAllocations', method: 'PUT', path: '/allocations/{consumer_uuid}', summary: 'Make a consumer use exactly this.', status: 204,
  access: policy.allocations,
  body: exact({ allocations: Type.Array(exact({ resource_provider: exact({ uuid: Type.String() }), resources: Type.Record(Type.String(), amount) }), { minItems: 1 }) }),
  async handle(ctx, { params, body }, { store }) {
    if (!isUuid(params.consumer_uuid!)) throw badRequest(`Malformed consumer_uuid: '${params.consumer_uuid}' is not a 'uuid'`)
    await store.tx(async (tx) => {
      for (const { resource_provider: { uuid } } of body.allocations) if (!await providers.find(tx, uuid)) throw badRequest(`Allocation for resource provider '${uuid}' that does not exist.`)
      await allocations.replace(tx, {
        consumerId: params.consumer_uuid!, projectId: ctx.actor.projectId ?? '', userId: ctx.actor.userId,
        allocations: Object.fromEntries(body.allocations.map((a) => [a.resource_provider.uuid, a.resources])),
      })
    }, { durable: true })
  },
})

export const deleteAllocations = operation({
  name: 'deleteAllocations', method: 'DELETE', path: '/allocations/{consumer_uuid}', summary: 'Free everything a consumer uses.', status: 204,
  access: policy.allocations,
  async handle(_ctx, { params }, { store }) {
    if (!await store.tx((tx) => allocations.release(tx, params.consumer_uuid!), { durable: true })) throw notFound(`No allocations for consumer '${params.consumer_uuid}'`)
  },
})
