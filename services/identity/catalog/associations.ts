// Associations: something is put beside something else, looked for and taken away again. Three operations of one shape for each kind;
// HEAD is answered as GET. https://docs.openstack.org/api-ref/identity/v3-ext/#os-endpoint-policy-api, #os-ep-filter-api
import { conflict, notFound } from '#base/errors.ts'
import type { Operation, Urls } from '#kit/http/operation.ts'
import { operation, type Deps, type IdentityTx } from '../deps.ts'
import * as endpointGroups from '../endpoint-filter/store.ts'
import { missing } from '../faults.ts'
import * as policies from '../policies/store.ts'
import * as projects from '../projects/store.ts'
import * as rows from './associations-store.ts'
import * as policy from './policy.ts'
import * as catalog from './store.ts'

const finders = {
  policy_id: { what: 'policy', find: policies.find },
  endpoint_group_id: { what: 'Endpoint Group', find: endpointGroups.find },
  project_id: { what: 'project', find: projects.find },
  endpoint_id: { what: 'endpoint', find: catalog.findEndpoint },
  service_id: { what: 'service', find: catalog.findService },
  region_id: { what: 'region', find: catalog.findRegion },
}
/** Everything a path names must exist; the 404 names the first that does not. */
async function checkNamed(tx: IdentityTx, params: Record<string, string>): Promise<void> {
  for (const [name, { what, find }] of Object.entries(finders)) if (params[name] !== undefined && !await find(tx, params[name])) throw missing(what, params[name])
}

/** One kind of association. */
export interface AssociationSpec {
  /** `EndpointOfProject`, in the operations' names. */
  noun: string
  path: string
  /** In the operations' summaries: `a policy with an endpoint`. */
  about: string
  table: string
  /** Columns of the row's key, and the path's parameters they are taken from; '' for an empty one. */
  key: Record<string, string>
  /** What an existing association is changed to, as keystone does for policies; without it a second one is a conflict. */
  set?: Record<string, string>
  /** What GET answers; nothing when not said. */
  view?(params: Record<string, string>, urls: Urls): object
  /** Taking away what is not there is a 404, as in keystone's filter but not in its policies. */
  strict: boolean
}

/** Its three operations: check, create and delete. */
export function associationsOf(spec: AssociationSpec): Operation<Deps>[] {
  const of = (columns: Record<string, string>, params: Record<string, string>): rows.Key =>
    Object.fromEntries(Object.entries(columns).map(([column, param]) => [column, param === '' ? '' : params[param]!]))
  const all = (params: Record<string, string>): rows.Key => ({ ...of(spec.key, params), ...of(spec.set ?? {}, params) })
  const absent = (): Error => notFound(`Could not find the association of ${spec.about}.`)
  return [
    operation({
      name: `check${spec.noun}`, method: 'GET', path: spec.path, summary: `Tell of the association of ${spec.about}.`, access: policy.readCatalog,
      faults: ['notFound'],
      handle: async (_ctx, { params, urls }, { store }) => store.read(async (tx) => {
        await checkNamed(tx, params)
        if (!await rows.isThere(tx, spec.table, all(params))) throw absent()
        return spec.view?.(params, urls)
      }),
    }),
    operation({
      name: `create${spec.noun}`, method: 'PUT', path: spec.path, summary: `Associate ${spec.about}.`, status: 204, access: policy.changeCatalog,
      faults: ['notFound', 'conflict'],
      async handle(_ctx, { params }, { store }) {
        await store.tx(async (tx) => {
          await checkNamed(tx, params)
          const taken = (): Error => conflict(`Conflict occurred attempting to store the association of ${spec.about} - Duplicate entry.`)
          await rows.associate(tx, spec.table, of(spec.key, params), spec.set && of(spec.set, params), taken)
        })
      },
    }),
    operation({
      name: `delete${spec.noun}`, method: 'DELETE', path: spec.path, summary: `End the association of ${spec.about}.`, status: 204, access: policy.changeCatalog,
      faults: ['notFound'],
      async handle(_ctx, { params }, { store }) {
        await store.tx(async (tx) => {
          await checkNamed(tx, params)
          if (!await rows.dissociate(tx, spec.table, all(params)) && spec.strict) throw absent()
        })
      },
    }),
  ]
}
