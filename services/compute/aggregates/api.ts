// https://docs.openstack.org/api-ref/compute/#host-aggregates-os-aggregates
import { badRequest, conflict, notFound } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { microsNoZone, now } from '#base/time.ts'
import type { Version } from '#kit/http/operation.ts'
import { exact, nullable, Type } from '#kit/http/schema.ts'
import { defaultZone, zonesOfHosts } from '../availability-zones/store.ts'
import { operation, type ComputeTx, type Deps } from '../deps.ts'
import { hostName, metadataChanges, name, zoneName } from '../fields.ts'
import { hostExists } from '../hosts/store.ts'
import { nextNumber } from '../numbers.ts'
import { admin } from '../policy.ts'
import * as aggregates from './store.ts'
import { zoneKey, type Aggregate } from './store.ts'

const view = (a: Aggregate, version: Version): object => ({
  id: a.id, name: a.name, availability_zone: a.metadata[zoneKey] ?? null, hosts: a.hosts, metadata: a.metadata, created_at: microsNoZone(a.createdAt), updated_at: a.updatedAt && microsNoZone(a.updatedAt),
  deleted: false, deleted_at: null, ...(version.since('2.41') && { uuid: a.uuid }),
})
const missing = (id: string | number): Error => notFound(`Aggregate ${String(id).slice(0, 60)} could not be found.`)
const idOf = (text: string): number => {
  if (!/^-?\d{1,15}$/.test(text)) throw badRequest(`id must be an integer: '${text.slice(0, 60)}'`)
  return Number(text)
}
const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => { const id = idOf(params.aggregate_id!); return store.read((tx) => aggregates.find(tx, id)) },
  sees: admin, owner: () => ({}), missing: (params: Record<string, string>) => missing(params.aggregate_id!),
}
const fresh = async (tx: ComputeTx, id: number): Promise<Aggregate> => {
  const found = await aggregates.find(tx, id)
  if (!found) throw missing(id)
  return found
}

/** A zone may not move under servers that are in it, and a host is in one zone only. */
async function checkZone(tx: ComputeTx, a: Aggregate, zone: string | null): Promise<void> {
  if (zone === (a.metadata[zoneKey] ?? null)) return
  if (zone !== null && zone.includes(':')) throw badRequest(`Cannot update aggregate ${a.id}. Reason: Invalid availability zone name.`)
  if (await aggregates.servesGuests(tx, a.hosts)) throw badRequest(`Cannot update aggregate ${a.id}. Reason: One or more hosts contain instances in this zone.`)
  if (zone === null) return
  for (const other of await aggregates.list(tx)) {
    if (other.id !== a.id && other.metadata[zoneKey] !== undefined && other.metadata[zoneKey] !== zone && other.hosts.some((h) => a.hosts.includes(h))) throw badRequest(`Cannot update aggregate ${a.id}. Reason: One or more hosts already in availability zone(s) ${other.metadata[zoneKey]}.`)
  }
}

export const listAggregates = operation({
  name: 'listAggregates', method: 'GET', path: '/os-aggregates', summary: 'List host aggregates.', access: admin,
  handle: async (_ctx, { version }, { store }) => ({ aggregates: (await store.read((tx) => aggregates.list(tx))).map((a) => view(a, version)) }),
})

export const showAggregate = operation({
  name: 'showAggregate', method: 'GET', path: '/os-aggregates/{aggregate_id}', summary: 'Show a host aggregate.', access: admin, target,
  faults: ['badRequest'],
  handle: async (_ctx, { target, version }) => ({ aggregate: view(target, version) }),
})

export const createAggregate = operation({
  name: 'createAggregate', method: 'POST', path: '/os-aggregates', summary: 'Create a host aggregate.', access: admin, status: 200,
  body: exact({ aggregate: exact({ name, availability_zone: Type.Optional(nullable(zoneName)) }) }),
  faults: ['conflict'],
  async handle(_ctx, { body: { aggregate }, version }, { store }) {
    const made = await store.tx(async (tx) => {
      const id = await nextNumber(tx, 'aggregates')
      await aggregates.add(tx, { id, uuid: newId(), name: aggregate.name, createdAt: now(), updatedAt: null })
      if (aggregate.availability_zone) await aggregates.setMetadata(tx, id, { [zoneKey]: aggregate.availability_zone })
      return fresh(tx, id)
    })
    // nova's answer to a creation leaves these two out.
    const { hosts: _hosts, metadata: _metadata, ...shown } = view({ ...made, updatedAt: null }, version) as Record<string, unknown>
    return { aggregate: shown }
  },
})

export const updateAggregate = operation({
  name: 'updateAggregate', method: 'PUT', path: '/os-aggregates/{aggregate_id}', summary: 'Change a host aggregate\'s name or zone.', access: admin, target,
  body: exact({ aggregate: Type.Object({ name: Type.Optional(name), availability_zone: Type.Optional(nullable(zoneName)) }, { additionalProperties: false, minProperties: 1 }) }),
  faults: ['conflict'],
  handle: (_ctx, { target, body: { aggregate }, version }, { store }) => store.tx(async (tx) => {
    if (aggregate.availability_zone !== undefined) await checkZone(tx, target, aggregate.availability_zone)
    if (aggregate.name !== undefined && aggregate.name !== target.name) await aggregates.rename(tx, target.id, aggregate.name)
    await aggregates.setMetadata(tx, target.id, aggregate.availability_zone === undefined ? {} : { [zoneKey]: aggregate.availability_zone })
    return { aggregate: view(await fresh(tx, target.id), version) }
  }),
})

export const deleteAggregate = operation({
  name: 'deleteAggregate', method: 'DELETE', path: '/os-aggregates/{aggregate_id}', summary: 'Delete an empty host aggregate.', access: admin, target, status: 200,
  faults: ['badRequest'],
  handle: (_ctx, { target }, { store }) => store.tx(async (tx) => {
    if ((await fresh(tx, target.id)).hosts.length > 0) throw badRequest(`Cannot remove aggregate ${target.id}. Reason: Host aggregate is not empty.`)
    await aggregates.remove(tx, target.id)
  }),
})

const path = '/os-aggregates/{aggregate_id}/action'

export const addHostToAggregate = operation({
  name: 'addHostToAggregate', method: 'POST', path, action: 'add_host', summary: 'Add a host to an aggregate.', access: admin, target, status: 200, body: exact({ host: hostName }),
  faults: ['conflict'],
  handle: (_ctx, { target, body: { host }, version }, { store }) => store.tx(async (tx) => {
    if (!await hostExists(tx, host)) throw notFound(`Compute host ${host} could not be found.`)
    const zone = target.metadata[zoneKey], now = (await zonesOfHosts(tx)).get(host)
    if (zone !== undefined && now !== undefined && now !== zone) throw conflict(`Cannot add host to aggregate ${target.id}. Reason: Host already in availability zone(s) ${now}.`)
    if (zone !== undefined && zone !== (now ?? defaultZone) && await aggregates.servesGuests(tx, [host])) throw conflict(`Cannot add host to aggregate ${target.id}. Reason: Host contains instances in this zone.`)
    if (!await aggregates.join(tx, target.id, host)) throw conflict(`Aggregate ${target.id} already has host ${host}.`)
    return { aggregate: view(await fresh(tx, target.id), version) }
  }),
})

export const removeHostFromAggregate = operation({
  name: 'removeHostFromAggregate', method: 'POST', path, action: 'remove_host', summary: 'Take a host out of an aggregate.', access: admin, target, status: 200, body: exact({ host: hostName }),
  faults: ['conflict'],
  handle: (_ctx, { target, body: { host }, version }, { store }) => store.tx(async (tx) => {
    if (target.metadata[zoneKey] !== undefined && target.metadata[zoneKey] !== defaultZone && await aggregates.servesGuests(tx, target.hosts.includes(host) ? [host] : [])) throw conflict(`Cannot remove host from aggregate ${target.id}. Reason: Host contains instances in this zone.`)
    if (!await aggregates.leave(tx, target.id, host)) throw notFound(`Cannot remove host ${host} in aggregate ${target.id}`)
    return { aggregate: view(await fresh(tx, target.id), version) }
  }),
})

export const setAggregateMetadata = operation({
  name: 'setAggregateMetadata', method: 'POST', path, action: 'set_metadata', summary: 'Set or remove keys of an aggregate.', access: admin, target, status: 200, body: exact({ metadata: metadataChanges }),
  handle: (_ctx, { target, body: { metadata }, version }, { store }) => store.tx(async (tx) => {
    if (Object.hasOwn(metadata, zoneKey)) {
      if (metadata[zoneKey] === '') throw badRequest(`Cannot update metadata of aggregate ${target.id}. Reason: Aggregate ${target.name} does not support empty named availability zone.`)
      await checkZone(tx, target, metadata[zoneKey]!)
    }
    await aggregates.setMetadata(tx, target.id, metadata)
    return { aggregate: view(await fresh(tx, target.id), version) }
  }),
})
