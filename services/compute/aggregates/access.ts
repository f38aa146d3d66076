import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'

const on = async (w: AccessWorld): Promise<{ params: { aggregate_id: string } }> =>
  ({ params: { aggregate_id: String((await w.call('admin', 'compute', 'createAggregate', { body: { aggregate: { name: w.unique('aggregate') } } })).body.aggregate.id) } })

export const access: AccessCase[] = [
  { operation: 'listAggregates', expect: verdicts.admin() },
  { operation: 'createAggregate', request: (w) => ({ body: { aggregate: { name: w.unique('aggregate') } } }), expect: verdicts.admin() },
  { operation: 'showAggregate', request: on, expect: verdicts.admin() },
  { operation: 'updateAggregate', request: async (w) => ({ ...await on(w), body: { aggregate: { name: w.unique('aggregate') } } }), expect: verdicts.admin() },
  { operation: 'deleteAggregate', request: on, expect: verdicts.admin() },
  // A host that is not there, so that the case leaves every zone as it was.
  { operation: 'addHostToAggregate', request: async (w) => ({ ...await on(w), body: { host: 'nowhere' } }), expect: verdicts.admin(404) },
  { operation: 'removeHostFromAggregate', request: async (w) => ({ ...await on(w), body: { host: 'nowhere' } }), expect: verdicts.admin(404) },
  { operation: 'setAggregateMetadata', request: async (w) => ({ ...await on(w), body: { metadata: { ssd: 'true' } } }), expect: verdicts.admin() },
]
