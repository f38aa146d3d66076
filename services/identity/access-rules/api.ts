// https://docs.openstack.org/api-ref/identity/v3/#application-credentials, access rules
import { forbidden } from '#base/errors.ts'
import { Type } from '#kit/http/schema.ts'
import { refuseTrusts } from '../delegation.ts'
import { operation, type Deps } from '../deps.ts'
import { missing } from '../faults.ts'
import { collection, listQuery, pageOf, termsOf } from '../fields.ts'
import type { AccessRuleRow } from '../schema.ts'
import { userTarget } from '../users/target.ts'
import * as policy from './policy.ts'
import * as rules from './store.ts'
import { ruleResource } from './view.ts'

const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => rules.find(tx, params.user_id!, params.access_rule_id!)),
  sees: policy.readRules,
  owner: (row: AccessRuleRow) => ({ userId: row.userId }),
  missing: (params: Record<string, string>) => missing('Access Rule', params.access_rule_id!),
}

export const listAccessRules = operation({
  name: 'listAccessRules', method: 'GET', path: '/users/{user_id}/access_rules', summary: 'List a user\'s access rules.',
  access: policy.readRules, target: userTarget(policy.readRules),
  query: listQuery({ service: Type.Optional(Type.String()), path: Type.Optional(Type.String()), method: Type.Optional(Type.String()) }),
  async handle({ actor }, { target, query, urls }, { store, config }) {
    refuseTrusts(actor)
    const page = pageOf(query, config.listLimit), terms = termsOf(query, { service: 'service', path: 'path', method: 'method' })
    return collection('access_rules', await store.read((tx) => rules.list(tx, target.id, terms, page)), (row) => ruleResource(row, urls.api), urls, page)
  },
})

export const showAccessRule = operation({
  name: 'showAccessRule', method: 'GET', path: '/users/{user_id}/access_rules/{access_rule_id}', summary: 'Show an access rule.', access: policy.readRules, target,
  async handle({ actor }, { target, urls }) {
    refuseTrusts(actor)
    return { access_rule: ruleResource(target, urls.api) }
  },
})

export const deleteAccessRule = operation({
  name: 'deleteAccessRule', method: 'DELETE', path: '/users/{user_id}/access_rules/{access_rule_id}', summary: 'Delete an access rule that no application credential is bound by.',
  access: policy.deleteRule, target,
  async handle({ actor }, { target }, { store }) {
    refuseTrusts(actor)
    if (!await store.tx((tx) => rules.remove(tx, target.id))) throw forbidden('May not delete access rule in use')
  },
})
