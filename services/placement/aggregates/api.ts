// https://docs.openstack.org/api-ref/placement/#resource-provider-aggregates
import { exact, Type } from '#kit/http/schema.ts'
import { operation, type PlacementTx } from '../deps.ts'
import { uuid } from '../fields.ts'
import * as policy from '../policy.ts'
import * as providers from '../providers/store.ts'
import { target } from '../providers/target.ts'
import { dated, generationChanged } from '../replies.ts'
import * as aggregates from './store.ts'

const access = policy.adminOrService
const path = '/resource_providers/{uuid}/aggregates'
const ids = Type.Array(uuid(), { uniqueItems: true, maxItems: 5000 })
/** For who holds the provider. Kept as they were written, as placement does: clients compare what they read with what they sent. */
const set = (tx: PlacementTx, id: string, wanted: string[]): Promise<void> => aggregates.replace(tx, id, wanted)

export const listProviderAggregates = operation({
  name: 'listProviderAggregates', method: 'GET', path, summary: 'The aggregates a provider is in.', access, target, since: '1.1',
  async handle(_ctx, { target, version }, { store }) {
    const ids = await store.read((tx) => aggregates.ofProvider(tx, target.id))
    return dated(version, { aggregates: ids, ...(version.since('1.19') && { resource_provider_generation: target.generation }) })
  },
})

export const replaceProviderAggregatesBlindly = operation({
  name: 'replaceProviderAggregatesBlindly', method: 'PUT', path, summary: 'Put a provider into exactly these aggregates, whoever else does.',
  access, target, since: '1.1', until: '1.18', body: ids,
  async handle(_ctx, { target, body, version }, { store }) {
    await store.tx(async (tx) => { await providers.holdOne(tx, target.id); await set(tx, target.id, body) }, { durable: true })
    return dated(version, { aggregates: body })
  },
})

export const replaceProviderAggregates = operation({
  name: 'replaceProviderAggregates', method: 'PUT', path, summary: 'Put a provider into exactly these aggregates.', access, target, since: '1.19',
  body: exact({ aggregates: ids, resource_provider_generation: Type.Integer() }),
  faults: ['conflict'],
  async handle(_ctx, { target, body, version }, { store }) {
    const row = await store.tx(async (tx) => {
      const held = await providers.holdAt(tx, target.id, body.resource_provider_generation, generationChanged)
      await set(tx, target.id, body.aggregates)
      return providers.nextGeneration(tx, held)
    }, { durable: true })
    return dated(version, { aggregates: body.aggregates, resource_provider_generation: row.generation })
  },
})
