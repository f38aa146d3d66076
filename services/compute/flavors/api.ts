// https://docs.openstack.org/api-ref/compute/#flavors
import { badRequest } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import type { Actor } from '#base/context.ts'
import type { Version, Urls } from '#kit/http/operation.ts'
import { exact, exactSince, nullable, oneOf, since, Type, type Static } from '#kit/http/schema.ts'
import { flag } from '#kit/store/store.ts'
import { operation, type Deps } from '../deps.ts'
import { asNumber, boolean, isTrue, name, wholeNumber } from '../fields.ts'
import { pageLinks, pageSize } from '../links.ts'
import type { FlavorRow } from '../schema.ts'
import * as policy from './policy.ts'
import * as flavors from './store.ts'
import { flavorBrief, flavorView } from './view.ts'

const sortKeys: Record<string, keyof FlavorRow> = {
  created_at: 'createdAt', description: 'description', disabled: 'disabled', ephemeral_gb: 'ephemeralGib', flavorid: 'id', id: 'id', is_public: 'isPublic', memory_mb: 'memoryMib',
  name: 'name', root_gb: 'diskGib', rxtx_factor: 'rxtxFactor', swap: 'swapMib', updated_at: 'updatedAt', vcpu_weight: 'id', vcpus: 'vcpus',
}
const query = exactSince('2.75', {
  limit: Type.Optional(Type.Integer({ minimum: 0 })), marker: Type.Optional(Type.String()), is_public: Type.Optional(Type.String()), minRam: Type.Optional(Type.String()), minDisk: Type.Optional(Type.String()),
  sort_key: Type.Optional(oneOf(...Object.keys(sortKeys))), sort_dir: Type.Optional(oneOf('asc', 'desc')),
})
type Query = Static<typeof query>

const wholeFilter = (field: string, value: string | undefined): number | undefined => {
  if (value === undefined) return undefined
  if (!/^-?\d{1,15}$/.test(value)) throw badRequest(`Invalid ${field} filter [${value.slice(0, 60)}]`)
  return Number(value)
}
/** Administrators choose: public (the default), private, or `none` for both. */
function publicFilter(value: string | undefined): boolean | undefined {
  if (value === undefined) return true
  if (value.toLowerCase() === 'none') return undefined
  if (/^(1|t|true|on|y|yes)$/i.test(value)) return true
  if (/^(0|f|false|off|n|no)$/i.test(value)) return false
  throw badRequest(`Invalid is_public filter [${value.slice(0, 60)}]`)
}

async function page(actor: Actor, q: Query, { store }: Deps): Promise<flavors.Flavor[]> {
  const isAdmin = policy.listAll.allows(actor)
  const rows = await store.read(async (tx) => q.marker !== undefined && !await flavors.findUsable(tx, q.marker, actor.projectId, isAdmin) ? undefined : flavors.list(tx, {
    isPublic: isAdmin ? publicFilter(q.is_public) : true, projectId: isAdmin ? undefined : actor.projectId, disabled: isAdmin ? undefined : false,
    minMemoryMib: wholeFilter('minRam', q.minRam), minDiskGib: wholeFilter('minDisk', q.minDisk),
    sortKey: sortKeys[q.sort_key ?? 'flavorid']!, descending: q.sort_dir === 'desc', limit: pageSize(q.limit), marker: q.marker,
  }))
  if (!rows) throw badRequest(`marker [${q.marker!.slice(0, 60)}] not found`)
  return rows
}

export const listFlavors = operation({
  name: 'listFlavors', method: 'GET', path: '/flavors', summary: 'List flavors.', access: policy.list, query,
  async handle(ctx, { query, version, urls }, deps) {
    const rows = await page(ctx.actor, query, deps)
    return { flavors: rows.map(flavorBrief(version, urls)), ...pageLinks('flavors_links', urls, 'flavors', rows.length, query.limit, rows.at(-1)?.id) }
  },
})

export const listFlavorsDetailed = operation({
  name: 'listFlavorsDetailed', method: 'GET', path: '/flavors/detail', summary: 'List flavors with details.', access: policy.list, query,
  async handle(ctx, { query, version, urls }, deps) {
    const rows = await page(ctx.actor, query, deps)
    return { flavors: rows.map(flavorView(version, urls, policy.showExtraSpecs.allows(ctx.actor))), ...pageLinks('flavors_links', urls, 'flavors/detail', rows.length, query.limit, rows.at(-1)?.id) }
  },
})

/** The flavor of a path, if the caller may know it. */
export const flavorTarget = {
  load: (ctx: { actor: Actor }, params: Record<string, string>, { store }: Deps) =>
    store.read((tx) => flavors.findUsable(tx, params.flavor_id!, ctx.actor.projectId, policy.listAll.allows(ctx.actor))),
  sees: policy.show,
  owner: () => ({}),
  missing: (params: Record<string, string>) => flavors.flavorMissing(params.flavor_id!),
}

const one = (ctx: { actor: Actor }, flavor: flavors.Flavor, version: Version, urls: Urls): object => ({ flavor: flavorView(version, urls, policy.showExtraSpecs.allows(ctx.actor))(flavor) })

export const showFlavor = operation({
  name: 'showFlavor', method: 'GET', path: '/flavors/{flavor_id}', summary: 'Show a flavor.', access: policy.show, target: flavorTarget,
  handle: async (ctx, { target, version, urls }) => one(ctx, target, version, urls),
})

const longDescription = nullable(Type.String({ maxLength: 65_535 }))

export const createFlavor = operation({
  name: 'createFlavor', method: 'POST', path: '/flavors', summary: 'Create a flavor.', access: policy.change, status: 200,
  body: exact({ flavor: exact({
    name, ram: wholeNumber(1), vcpus: wholeNumber(1), disk: wholeNumber(0),
    id: Type.Optional(Type.Unsafe<string | number | null>({ type: ['string', 'number', 'null'], minLength: 1, maxLength: 255, pattern: '^(?! )[a-zA-Z0-9. _-]+(?<! )$' })),
    'OS-FLV-EXT-DATA:ephemeral': Type.Optional(wholeNumber(0)), swap: Type.Optional(wholeNumber(0)),
    rxtx_factor: Type.Optional(Type.Unsafe<number | string>({ type: ['number', 'string'], pattern: '^[0-9]+(\\.[0-9]+)?$', exclusiveMinimum: 0, maximum: 3.40282e+38 })),
    'os-flavor-access:is_public': Type.Optional(boolean), description: since('2.55', Type.Optional(longDescription)),
  }) }),
  faults: ['conflict'],
  async handle(ctx, { body: { flavor }, version, urls }, { store }) {
    const rxtxFactor = Number(flavor.rxtx_factor ?? 1)
    if (!(rxtxFactor > 0)) throw badRequest(`Invalid input for field/attribute rxtx_factor. Value: ${flavor.rxtx_factor}. ${flavor.rxtx_factor} is less than or equal to the minimum of 0`)
    const row: FlavorRow = {
      id: flavor.id === undefined || flavor.id === null || flavor.id === 'auto' ? newId() : String(flavor.id), name: flavor.name,
      vcpus: asNumber('vcpus', flavor.vcpus, 1), memoryMib: asNumber('ram', flavor.ram, 1), diskGib: asNumber('disk', flavor.disk, 0),
      ephemeralGib: asNumber('OS-FLV-EXT-DATA:ephemeral', flavor['OS-FLV-EXT-DATA:ephemeral'] ?? 0, 0), swapMib: asNumber('swap', flavor.swap ?? 0, 0), rxtxFactor,
      isPublic: flag(isTrue(flavor['os-flavor-access:is_public'], true)), disabled: 0, description: flavor.description ?? null, createdAt: now(), updatedAt: null,
    }
    await store.tx((tx) => flavors.add(tx, row))
    return one(ctx, { ...row, extraSpecs: {} }, version, urls)
  },
})

export const updateFlavor = operation({
  name: 'updateFlavor', method: 'PUT', path: '/flavors/{flavor_id}', summary: 'Change a flavor\'s description.', access: policy.change, target: flavorTarget, since: '2.55',
  body: exact({ flavor: exact({ description: longDescription }) }),
  async handle(ctx, { target, body: { flavor: { description } }, version, urls }, { store }) {
    await store.tx((tx) => flavors.describe(tx, target.id, description, now()))
    return one(ctx, { ...target, description }, version, urls)
  },
})

export const deleteFlavor = operation({
  name: 'deleteFlavor', method: 'DELETE', path: '/flavors/{flavor_id}', summary: 'Delete a flavor; servers made of it keep what they have.', access: policy.change, target: flavorTarget, status: 202,
  async handle(_ctx, { target }, { store }) {
    if (!await store.tx((tx) => flavors.remove(tx, target.id))) throw flavors.flavorMissing(target.id)
  },
})
