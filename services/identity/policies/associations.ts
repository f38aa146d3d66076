// OS-ENDPOINT-POLICY: which policy an endpoint asks for. https://docs.openstack.org/api-ref/identity/v3-ext/#os-endpoint-policy-api
import { notFound } from '#base/errors.ts'
import { associationsOf } from '../catalog/associations.ts'
import * as policy from '../catalog/policy.ts'
import * as catalog from '../catalog/store.ts'
import { endpointView } from '../catalog/view.ts'
import { operation } from '../deps.ts'
import { allEndpoints } from '../endpoint-filter/store.ts'
import { endpointTarget } from '../endpoints/api.ts'
import { collection } from '../fields.ts'
import type { RegionRow } from '../schema.ts'
import { policyTarget, policyView } from './api.ts'
import * as policies from './store.ts'

const base = '/policies/{policy_id}/OS-ENDPOINT-POLICY'
const table = 'identityPolicyAssociations', set = { policyId: 'policy_id' }
export const policyAssociations = [
  ...associationsOf({
    noun: 'PolicyForEndpoint', path: `${base}/endpoints/{endpoint_id}`, about: 'a policy with an endpoint', table,
    key: { endpointId: 'endpoint_id', serviceId: '', regionId: '' }, set, strict: false,
  }),
  ...associationsOf({
    noun: 'PolicyForService', path: `${base}/services/{service_id}`, about: 'a policy with a service', table,
    key: { endpointId: '', serviceId: 'service_id', regionId: '' }, set, strict: false,
  }),
  ...associationsOf({
    noun: 'PolicyForServiceInRegion', path: `${base}/services/{service_id}/regions/{region_id}`, about: 'a policy with a service in a region', table,
    key: { endpointId: '', serviceId: 'service_id', regionId: 'region_id' }, set, strict: false,
  }),
]

/** A region with those above it, nearest first. */
function upwards(regionId: string | null, regions: Map<string, RegionRow>): string[] {
  const found: string[] = []
  for (let at = regionId; at !== null && !found.includes(at); at = regions.get(at)?.parentRegionId ?? null) found.push(at)
  return found
}

export const listEndpointsForPolicy = operation({
  name: 'listEndpointsForPolicy', method: 'GET', path: `${base}/endpoints`,
  summary: 'List the endpoints a policy is associated with, directly or by their service and region.', access: policy.readCatalog, target: policyTarget,
  async handle(_ctx, { target, urls }, { store }) {
    const endpoints = await store.read(async (tx) => {
      const associations = await policies.associationsOf(tx, target.id)
      const regions = new Map((await catalog.allRegions(tx)).map((r) => [r.id, r]))
      return (await allEndpoints(tx)).filter(({ id, serviceId, regionId }) => associations.some((a) =>
        a.endpointId === id || (a.serviceId === serviceId && (a.regionId === '' || upwards(regionId, regions).includes(a.regionId)))))
    })
    return collection('endpoints', endpoints, (e) => endpointView(e, urls.api), urls)
  },
})

export const showPolicyForEndpoint = operation({
  name: 'showPolicyForEndpoint', method: 'GET', path: '/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy',
  summary: 'Show the policy that holds for an endpoint: its own, its service\'s in the nearest region above, its service\'s.',
  access: policy.readCatalog, target: endpointTarget,
  async handle(_ctx, { target, urls }, { store }) {
    const found = await store.read(async (tx) => {
      const associations = await policies.associationsFor(tx, target)
      const regions = new Map((await catalog.allRegions(tx)).map((r) => [r.id, r]))
      const own = associations.find((a) => a.endpointId === target.id)
      const inRegions = upwards(target.regionId, regions).map((id) => associations.find((a) => a.serviceId === target.serviceId && a.regionId === id))
      const ofService = associations.find((a) => a.serviceId === target.serviceId && a.regionId === '')
      const nearest = [own, ...inRegions, ofService].find((a) => a !== undefined)
      return nearest && policies.find(tx, nearest.policyId)
    })
    if (!found) throw notFound(`No policy is associated with endpoint ${target.id}.`)
    return { policy: policyView(found, urls.api) }
  },
})
