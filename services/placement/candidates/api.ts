// https://docs.openstack.org/api-ref/placement/#allocation-candidates
import { lenient, since, Type } from '#kit/http/schema.ts'
import { operation } from '../deps.ts'
import { repeated } from '../fields.ts'
import * as policy from '../policy.ts'
import { dated } from '../replies.ts'
import { mustKnow, parseCandidatesRequest } from './request.ts'
import { search } from './search.ts'
import { inTurns } from './turns.ts'
import { candidatesText } from './view.ts'

export const listAllocationCandidates = operation({
  name: 'listAllocationCandidates', method: 'GET', path: '/allocation_candidates', summary: 'Every way in which what is asked for could be allocated.',
  access: policy.adminOrService, since: '1.10',
  // For the documents: keys carry suffixes of the caller's making, so request.ts reads and refuses them.
  query: lenient({
    resources: Type.Optional(Type.String()), limit: since('1.16', Type.Optional(Type.String())), required: since('1.17', repeated()),
    member_of: since('1.21', repeated()), group_policy: since('1.25', Type.Optional(Type.String())),
    in_tree: since('1.31', Type.Optional(Type.String())), root_required: since('1.35', repeated()), same_subtree: since('1.36', repeated()),
  }),
  async handle(_ctx, { urls, version }, { store, world }) {
    const request = parseCandidatesRequest(urls.search, version)
    await store.read((tx) => mustKnow(tx, request.groups, [...request.rootRequired, ...request.rootForbidden]))
    const scene = await world.fresh()
    const body = await inTurns(scene, (function* () { return yield* candidatesText(version, scene, request, yield* search(scene, request)) })())
    return dated(version, body, undefined, { headers: { 'content-type': 'application/json' } })
  },
})
