// https://docs.openstack.org/api-ref/placement/#allocation-candidates
import { lenient } from '#kit/http/schema.ts'
import { operation } from '../deps.ts'
import * as policy from '../policy.ts'
import { dated } from '../replies.ts'
import { mustKnow, parseCandidatesRequest } from './request.ts'
import { search } from './search.ts'
import { candidatesView } from './view.ts'

export const listAllocationCandidates = operation({
  name: 'listAllocationCandidates', method: 'GET', path: '/allocation_candidates', summary: 'Every way in which what is asked for could be allocated.', access: policy.adminOrService, since: '1.10',
  // Keys carry suffixes of the caller's making: request.ts reads and refuses them.
  query: lenient({}),
  async handle(_ctx, { urls, version }, { store, world }) {
    const request = parseCandidatesRequest(urls.search, version)
    await store.read((tx) => mustKnow(tx, request.groups, [...request.rootRequired, ...request.rootForbidden]))
    const scene = await world.fresh()
    return dated(version, candidatesView(version, scene, request, search(scene, request)))
  },
})
