// https://docs.openstack.org/api-ref/placement/#allocations and #resource-provider-allocations
import { notFound } from '#base/errors.ts'
import { isUuid } from '#base/ids.ts'
import { operation } from '../deps.ts'
import { dashed } from '../fields.ts'
import * as policy from '../policy.ts'
import { target } from '../providers/target.ts'
import { dated, newest } from '../replies.ts'
import type { AllocationRow } from '../schema.ts'
import { consumers, dictionary, incomplete, listed, wantedOf } from './fields.ts'
import * as allocations from './store.ts'
import { freeAllocations, replaceAllocations as replace } from './write-store.ts'

const access = policy.adminOrService
const path = '/allocations/{consumer_uuid}'
const resourcesOf = (rows: AllocationRow[]): object => Object.fromEntries(rows.map((r) => [r.resourceClass, r.used]))

export const showAllocations = operation({
  name: 'showAllocations', method: 'GET', path, summary: 'What a consumer uses.', access,
  async handle(_ctx, { params, version }, { store }) {
    const id = isUuid(params.consumer_uuid!) ? dashed(params.consumer_uuid!) : params.consumer_uuid!
    const { rows, consumer } = await store.read(async (tx) => ({ rows: await allocations.ofConsumer(tx, id), consumer: await allocations.findConsumer(tx, id) }))
    const byProvider = [...Map.groupBy(rows, (r) => r.providerId)].map(([providerId, of]) => [providerId, { generation: of[0]!.generation, resources: resourcesOf(of) }])
    return dated(version, {
      allocations: Object.fromEntries(byProvider),
      ...(consumer && rows.length > 0 && {
        ...(version.since('1.12') && { project_id: consumer.projectId, user_id: consumer.userId }),
        ...(version.since('1.28') && { consumer_generation: consumer.generation }),
        ...(version.since('1.38') && { consumer_type: consumer.consumerType ?? 'unknown' }),
      }),
    }, consumer?.updatedAt)
  },
})

export const showProviderAllocations = operation({
  name: 'showProviderAllocations', method: 'GET', path: '/resource_providers/{uuid}/allocations', summary: 'Who uses a provider.', access, target,
  async handle(_ctx, { target, version }, { store }) {
    const rows = await store.read((tx) => allocations.ofProvider(tx, target.id))
    const byConsumer = [...Map.groupBy(rows, (r) => r.consumerId)].map(([id, of]) =>
      [id, { resources: resourcesOf(of), ...(version.since('1.28') && { consumer_generation: of[0]!.generation }) }])
    return dated(version, { resource_provider_generation: target.generation, allocations: Object.fromEntries(byConsumer) }, newest(rows.map((r) => r.updatedAt)))
  },
})

export const replaceAllocationsListed = operation({
  name: 'replaceAllocationsListed', method: 'PUT', path, summary: 'Make a consumer use exactly this, given as a list.', status: 204, access, until: '1.11', body: listed,
  async handle(_ctx, { params, body }, { store }) {
    const wanted = wantedOf(params.consumer_uuid!, {
      project_id: body.project_id ?? incomplete, user_id: body.user_id ?? incomplete, allocations: Object.fromEntries(body.allocations.map((a) => [a.resource_provider.uuid, a])),
    })
    await store.tx((tx) => replace(tx, [wanted]), { durable: true })
  },
})

export const replaceAllocations = operation({
  name: 'replaceAllocations', method: 'PUT', path, summary: 'Make a consumer use exactly this.', status: 204, access, since: '1.12', body: dictionary,
  faults: ['conflict'],
  async handle(_ctx, { params, body }, { store }) {
    const wanted = wantedOf(params.consumer_uuid!, body)
    await store.tx((tx) => replace(tx, [wanted]), { durable: true })
  },
})

export const manageAllocations = operation({
  name: 'manageAllocations', method: 'POST', path: '/allocations', summary: 'Make several consumers use exactly this, all of them or none.',
  status: 204, access, since: '1.13', body: consumers(1),
  faults: ['conflict'],
  async handle(_ctx, { body }, { store }) {
    const wanted = Object.entries(body).map(([id, asked]) => wantedOf(id, asked))
    await store.tx((tx) => replace(tx, wanted), { durable: true })
  },
})

export const deleteAllocations = operation({
  name: 'deleteAllocations', method: 'DELETE', path, summary: 'Free everything a consumer uses.', status: 204, access,
  faults: ['notFound'],
  async handle(_ctx, { params }, { store }) {
    const id = isUuid(params.consumer_uuid!) ? dashed(params.consumer_uuid!) : params.consumer_uuid!
    if (!await store.tx((tx) => freeAllocations(tx, id), { durable: true })) throw notFound(`No allocations for consumer '${params.consumer_uuid}'`)
  },
})
