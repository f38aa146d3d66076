// Roles that imply others: https://docs.openstack.org/api-ref/identity/v3/#create-role-inference-rule
import { forbidden, notFound } from '#base/errors.ts'
import { operation, type Deps } from '../deps.ts'
import { missing } from '../faults.ts'
import type { RoleRow } from '../schema.ts'
import * as policy from './policy.ts'
import * as roles from './store.ts'
import { roleInInference } from './view.ts'

const priorTarget = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => roles.find(tx, params.prior_role_id!)),
  sees: policy.readInference,
  owner: () => ({}),
  missing: (params: Record<string, string>) => missing('role', params.prior_role_id!),
}
interface Pair { prior: RoleRow, implied: RoleRow }
const pairTarget = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps): Promise<Pair | undefined> => store.read(async (tx) => {
    const prior = await roles.find(tx, params.prior_role_id!), implied = await roles.find(tx, params.implies_role_id!)
    if (prior && !implied) throw missing('role', params.implies_role_id!)
    return prior && implied && { prior, implied }
  }),
  sees: policy.readInference,
  owner: () => ({}),
  missing: priorTarget.missing,
}
const ids = ({ prior, implied }: Pair): roles.Inference => ({ priorRoleId: prior.id, impliedRoleId: implied.id })
const path = '/roles/{prior_role_id}/implies/{implies_role_id}'
const self = (api: string, { prior, implied }: Pair): object => ({ self: `${api}/roles/${prior.id}/implies/${implied.id}` })
const view = (pair: Pair, api: string): object =>
  ({ role_inference: { prior_role: roleInInference(pair.prior, api), implies: roleInInference(pair.implied, api) }, links: self(api, pair) })
const notImplied = ({ prior, implied }: Pair): Error => notFound(`${prior.id} does not imply ${implied.id}.`)

export const createInference = operation({
  name: 'createRoleInference', method: 'PUT', path, summary: 'Let a role imply another.', status: 201, access: policy.changeInference, target: pairTarget,
  async handle(_ctx, { target, urls }, { store }) {
    // Nobody becomes an administrator by the way.
    if (target.implied.name.toLowerCase() === 'admin') throw forbidden(`${target.implied.id} cannot be an implied roles.`)
    if (target.implied.domainId && !target.prior.domainId) throw forbidden(`${target.implied.id} cannot be an implied roles.`)
    await store.tx((tx) => roles.imply(tx, ids(target)))
    return view(target, urls.api)
  },
})

export const showInference = operation({
  name: 'showRoleInference', method: 'GET', path, summary: 'Show that a role implies another.', access: policy.readInference, target: pairTarget,
  async handle(_ctx, { target, urls }, { store }) {
    if (!await store.read((tx) => roles.implies(tx, ids(target)))) throw notImplied(target)
    return view(target, urls.api)
  },
})

export const checkInference = operation({
  name: 'checkRoleInference', method: 'HEAD', path, summary: 'Tell whether a role implies another.', status: 204, access: policy.readInference, target: pairTarget,
  async handle(_ctx, { target }, { store }) {
    if (!await store.read((tx) => roles.implies(tx, ids(target)))) throw notImplied(target)
  },
})

export const deleteInference = operation({
  name: 'deleteRoleInference', method: 'DELETE', path, summary: 'Let a role imply another no more.', access: policy.changeInference, target: pairTarget,
  async handle(_ctx, { target }, { store }) {
    if (!await store.tx((tx) => roles.unimply(tx, ids(target)))) throw notImplied(target)
  },
})

const implications = (prior: RoleRow, all: Map<string, RoleRow>, inferences: roles.Inference[], api: string): object => ({
  prior_role: roleInInference(prior, api),
  implies: inferences.filter((i) => i.priorRoleId === prior.id && all.has(i.impliedRoleId)).map((i) => roleInInference(all.get(i.impliedRoleId)!, api)),
})
const everything = ({ store }: Deps) => store.read(async (tx) => ({ all: new Map((await roles.all(tx)).map((r) => [r.id, r])), inferences: await roles.inferences(tx) }))

export const listImplied = operation({
  name: 'listImpliedRoles', method: 'GET', path: '/roles/{prior_role_id}/implies', summary: 'List what a role implies.', access: policy.readInference, target: priorTarget,
  async handle(_ctx, { target, urls }, deps) {
    const { all, inferences } = await everything(deps)
    return { role_inference: implications(target, all, inferences, urls.api), links: { self: `${urls.api}/roles/${target.id}/implies` } }
  },
})

export const listInferences = operation({
  name: 'listRoleInferences', method: 'GET', path: '/role_inferences', summary: 'List all roles that imply others.', access: policy.readInference,
  async handle(_ctx, { urls }, deps) {
    const { all, inferences } = await everything(deps)
    const priors = [...all.values()].filter((role) => inferences.some((i) => i.priorRoleId === role.id))
    return { role_inferences: priors.map((prior) => implications(prior, all, inferences, urls.api)), links: { self: `${urls.api}/role_inferences` } }
  },
})
