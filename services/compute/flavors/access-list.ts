// Which projects may use a private flavor. https://docs.openstack.org/api-ref/compute/#lists-flavors-access
import { conflict, notFound } from '#base/errors.ts'
import { exact } from '#kit/http/schema.ts'
import { operation, type ComputeTx } from '../deps.ts'
import { projectId } from '../fields.ts'
import { flavorTarget } from './api.ts'
import * as policy from './policy.ts'
import * as flavors from './store.ts'

const view = async (tx: ComputeTx, flavorId: string): Promise<object> =>
  ({ flavor_access: (await flavors.accessOf(tx, flavorId)).map((tenantId) => ({ flavor_id: flavorId, tenant_id: tenantId })) })

export const listFlavorAccess = operation({
  name: 'listFlavorAccess', method: 'GET', path: '/flavors/{flavor_id}/os-flavor-access', summary: 'List the projects that may use a private flavor.', access: policy.listAccess, target: flavorTarget,
  async handle(_ctx, { target }, { store }) {
    if (target.isPublic) throw notFound('Access list not available for public flavors.')
    return store.read((tx) => view(tx, target.id))
  },
})

const body = exact({ tenant: projectId })

export const addFlavorAccess = operation({
  name: 'addFlavorAccess', method: 'POST', path: '/flavors/{flavor_id}/action', action: 'addTenantAccess', summary: 'Let a project use a private flavor.', access: policy.change, target: flavorTarget, body,
  faults: ['conflict'],
  handle: (_ctx, { target, body: { tenant }, version }, { store }) => store.tx(async (tx) => {
    if (target.isPublic && version.since('2.7')) throw conflict('Can not add access to a public flavor.')
    await flavors.addAccess(tx, target.id, tenant)
    return view(tx, target.id)
  }),
})

export const removeFlavorAccess = operation({
  name: 'removeFlavorAccess', method: 'POST', path: '/flavors/{flavor_id}/action', action: 'removeTenantAccess', summary: 'Take a private flavor away from a project.', access: policy.change, target: flavorTarget, body,
  handle: (_ctx, { target, body: { tenant } }, { store }) => store.tx(async (tx) => {
    if (!await flavors.removeAccess(tx, target.id, tenant)) throw notFound(`Flavor access not found for ${target.id} / ${tenant} combination.`)
    return view(tx, target.id)
  }),
})
