// https://docs.openstack.org/api-ref/placement/#traits and #resource-provider-traits
import { badRequest, conflict, notFound } from '#base/errors.ts'
import { exact, Type } from '#kit/http/schema.ts'
import * as names from '../custom-names/store.ts'
import { operation } from '../deps.ts'
import * as policy from '../policy.ts'
import * as providers from '../providers/store.ts'
import { target } from '../providers/target.ts'
import { dated, generationChanged, newest } from '../replies.ts'
import { standardTraits } from './standard.ts'
import * as traits from './store.ts'

const access = policy.adminOrService
const absent = (name: string): Error => notFound(`No such trait(s): ${name}.`)

export const listTraits = operation({
  name: 'listTraits', method: 'GET', path: '/traits', summary: 'List the standard traits and those made here.', access, since: '1.6',
  query: exact({ name: Type.Optional(Type.String()), associated: Type.Optional(Type.String()) }),
  async handle(_ctx, { query, version }, { store }) {
    let fits = (_name: string): boolean => true
    if (query.name !== undefined) {
      const colon = query.name.indexOf(':'), operator = query.name.slice(0, colon), value = query.name.slice(colon + 1)
      if (colon < 0) {
        throw badRequest(`Badly formatted name parameter. Expected name query string parameter in form: ?name=[in|startswith]:[name1,name2|prefix]. Got: "${query.name.slice(0, 255)}"`)
      }
      const wanted = new Set(value.split(','))
      if (operator === 'in') fits = (name) => wanted.has(name)
      if (operator === 'startswith') fits = (name) => name.startsWith(value)
    }
    const associated = query.associated?.toLowerCase()
    if (associated !== undefined && associated !== 'true' && associated !== 'false') throw badRequest('The query parameter "associated" only accepts "true" or "false"')
    const { own, used } = await store.read(async (tx) => ({
      own: await names.list(tx, 'trait'),
      used: associated === undefined ? undefined : new Set(await traits.inUse(tx)),
    }))
    const shown = [...standardTraits, ...own.map((r) => r.name)].filter((name) => fits(name) && (used === undefined || used.has(name) === (associated === 'true')))
    return dated(version, { traits: shown }, newest(own.map((r) => r.createdAt)))
  },
})

export const showTrait = operation({
  name: 'showTrait', method: 'GET', path: '/traits/{name}', summary: 'See whether there is such a trait.', access, since: '1.6', status: 204,
  faults: ['notFound'],
  async handle(_ctx, { params, version }, { store }) {
    const own = await store.read((tx) => names.find(tx, 'trait', params.name!))
    if (!own && !standardTraits.has(params.name!)) throw absent(params.name!)
    return dated(version, undefined, own?.createdAt)
  },
})

export const ensureTrait = operation({
  name: 'ensureTrait', method: 'PUT', path: '/traits/{name}', summary: 'Make sure that a trait of one\'s own is there.', access, since: '1.6',
  faults: ['badRequest'],
  async handle(_ctx, { params, version, urls }, { store }) {
    const name = params.name!
    if (!/^CUSTOM_[A-Z0-9_]+$/.test(name) || name.length > 255) {
      throw badRequest('The trait is invalid. A valid trait must be no longer than 255 characters, start with the prefix "CUSTOM_" and use following characters: "A"-"Z", "0"-"9" and "_"')
    }
    const { made, row } = await store.tx(async (tx) => ({ made: await names.add(tx, 'trait', name), row: await names.find(tx, 'trait', name) }))
    return dated(version, undefined, row?.createdAt, { status: made ? 201 : 204, headers: { location: `${urls.api}/traits/${name}` } })
  },
})

export const deleteTrait = operation({
  name: 'deleteTrait', method: 'DELETE', path: '/traits/{name}', summary: 'Delete a trait of one\'s own that nothing has.', access, since: '1.6', status: 204,
  faults: ['badRequest', 'notFound', 'conflict'],
  async handle(_ctx, { params }, { store }) {
    const name = params.name!
    if (standardTraits.has(name)) throw badRequest(`Cannot delete standard trait ${name}.`)
    await store.tx(async (tx) => {
      if ((await names.hold(tx, 'trait', [name], standardTraits)).length > 0) throw absent(name)
      if (await traits.isInUse(tx, name)) throw conflict(`The trait ${name} is in use by a resource provider.`)
      await names.remove(tx, 'trait', name)
    })
  },
})

export const listProviderTraits = operation({
  name: 'listProviderTraits', method: 'GET', path: '/resource_providers/{uuid}/traits', summary: 'The traits of a provider.', access, target, since: '1.6',
  handle: async (_ctx, { target, version }, { store }) =>
    dated(version, { traits: await store.read((tx) => traits.ofProvider(tx, target.id)), resource_provider_generation: target.generation }, target.updatedAt),
})

export const replaceProviderTraits = operation({
  name: 'replaceProviderTraits', method: 'PUT', path: '/resource_providers/{uuid}/traits', summary: 'Make a provider have exactly these traits.',
  access, target: { ...target, beforeBody: false }, since: '1.6',
  body: exact({ traits: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { maxItems: 5000 }), resource_provider_generation: Type.Integer() }),
  faults: ['conflict'],
  async handle(_ctx, { target, body, version }, { store }) {
    const wanted = [...new Set(body.traits)].sort()
    const row = await store.tx(async (tx) => {
      const held = await providers.holdAt(tx, target.id, body.resource_provider_generation, generationChanged)
      const missing = await names.hold(tx, 'trait', wanted, standardTraits)
      if (missing.length > 0) throw badRequest(`No such trait ${missing.join(', ').slice(0, 1000)}`)
      return await traits.replace(tx, target.id, wanted) ? providers.nextGeneration(tx, held) : held
    })
    return dated(version, { traits: wanted, resource_provider_generation: row.generation }, row.updatedAt)
  },
})

export const deleteProviderTraits = operation({
  name: 'deleteProviderTraits', method: 'DELETE', path: '/resource_providers/{uuid}/traits', summary: 'Take all traits from a provider.', access, target, since: '1.6', status: 204,
  handle: async (_ctx, { target }, { store }) => store.tx(async (tx) => {
    const held = await providers.holdOne(tx, target.id)
    if (await traits.replace(tx, target.id, [])) await providers.nextGeneration(tx, held)
  }),
})
