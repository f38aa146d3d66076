// https://docs.openstack.org/api-ref/placement/#resource-classes
import { badRequest, conflict, notFound } from '#base/errors.ts'
import { exact, Type } from '#kit/http/schema.ts'
import { Reply } from '#kit/http/operation.ts'
import * as names from '../custom-names/store.ts'
import { operation, type PlacementTx } from '../deps.ts'
import { customName } from '../fields.ts'
import * as policy from '../policy.ts'
import { dated, newest, failed } from '../replies.ts'
import { standardClasses } from './standard.ts'
import { isInUse, rename } from './store.ts'

const path = (name: string): string => `/placement/resource_classes/${name}`
const view = (name: string): object => ({ name, links: [{ rel: 'self', href: path(name) }] })
const absent = (name: string): Error => notFound(`No such resource class ${name}.`)
const named = exact({ name: Type.String(customName) })
const access = policy.adminOrService
const mustBe = async (tx: PlacementTx, name: string): Promise<void> => { if (!standardClasses.has(name) && !await names.find(tx, 'resourceClass', name)) throw absent(name) }

export const listResourceClasses = operation({
  name: 'listResourceClasses', method: 'GET', path: '/resource_classes', summary: 'List the standard resource classes and those made here.', access, since: '1.2',
  async handle(_ctx, { version }, { store }) {
    const own = await store.read((tx) => names.list(tx, 'resourceClass'))
    return dated(version, { resource_classes: [...standardClasses, ...own.map((r) => r.name)].map(view) }, newest(own.map((r) => r.createdAt)))
  },
})

export const createResourceClass = operation({
  name: 'createResourceClass', method: 'POST', path: '/resource_classes', summary: 'Make a resource class of one\'s own.', access, since: '1.2', body: named, status: 201,
  faults: ['conflict'],
  async handle(_ctx, { body, urls }, { store }) {
    if (!await store.tx((tx) => names.add(tx, 'resourceClass', body.name))) throw conflict(`Conflicting resource class already exists: ${body.name}`)
    return new Reply({ headers: { location: `${urls.api}/resource_classes/${body.name}` } })
  },
})

export const showResourceClass = operation({
  name: 'showResourceClass', method: 'GET', path: '/resource_classes/{name}', summary: 'Show a resource class.', access, since: '1.2',
  faults: ['notFound'],
  async handle(_ctx, { params, version }, { store }) {
    const own = await store.read((tx) => names.find(tx, 'resourceClass', params.name!))
    if (!own && !standardClasses.has(params.name!)) throw absent(params.name!)
    return dated(version, view(params.name!), own?.createdAt)
  },
})

export const renameResourceClass = operation({
  name: 'renameResourceClass', method: 'PUT', path: '/resource_classes/{name}', summary: 'Give a resource class another name.', access, since: '1.2', until: '1.6', body: named,
  faults: ['notFound', 'conflict'],
  async handle(_ctx, { params, body }, { store }) {
    const name = params.name!
    await store.tx(async (tx) => {
      await mustBe(tx, name)
      if (standardClasses.has(name)) throw badRequest(`Cannot update standard resource class ${name}`)
      if (name === body.name) return
      if (!await names.add(tx, 'resourceClass', body.name)) throw conflict(`Resource class already exists: ${body.name}`)
      await names.hold(tx, 'resourceClass', [name], standardClasses)
      await rename(tx, name, body.name)
      await names.remove(tx, 'resourceClass', name)
    })
    return view(body.name)
  },
})

export const ensureResourceClass = operation({
  name: 'ensureResourceClass', method: 'PUT', path: '/resource_classes/{name}', summary: 'Make sure that a resource class of one\'s own is there.', access, since: '1.7',
  faults: ['badRequest'],
  async handle(_ctx, { params, urls }, { store }) {
    const name = params.name!
    if (!/^CUSTOM_[A-Z0-9_]+$/.test(name)) throw badRequest(`JSON does not validate: '${name.slice(0, 300)}' does not match '^CUSTOM_[A-Z0-9_]+$'${failed('pattern')}`)
    if (name.length > 255) throw badRequest(`JSON does not validate: '${name.slice(0, 300)}' is too long${failed('maxLength')}`)
    const made = await store.tx((tx) => names.add(tx, 'resourceClass', name))
    return new Reply({ status: made ? 201 : 204, headers: { location: `${urls.api}/resource_classes/${name}` } })
  },
})

export const deleteResourceClass = operation({
  name: 'deleteResourceClass', method: 'DELETE', path: '/resource_classes/{name}', summary: 'Delete a resource class of one\'s own that nothing has.',
  access, since: '1.2', status: 204,
  faults: ['badRequest', 'notFound', 'conflict'],
  async handle(_ctx, { params }, { store }) {
    const name = params.name!
    await store.tx(async (tx) => {
      await mustBe(tx, name)
      if (standardClasses.has(name)) throw badRequest(`Error in delete resource class: Cannot delete standard resource class ${name}.`)
      await names.hold(tx, 'resourceClass', [name], standardClasses)
      if (await isInUse(tx, name)) throw conflict(`Error in delete resource class: Cannot delete resource class ${name}. Class is in use in inventory.`)
      await names.remove(tx, 'resourceClass', name)
    })
  },
})
