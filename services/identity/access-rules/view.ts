import type { AccessRuleRow } from '../schema.ts'

/** As it stands in application credentials and tokens. */
export const ruleView = ({ id, service, path, method }: AccessRuleRow): object => ({ id, service, path, method })

/** https://docs.openstack.org/api-ref/identity/v3/#show-access-rule-details */
export const ruleResource = (row: AccessRuleRow, api: string): object => ({ ...ruleView(row), links: { self: `${api}/users/${row.userId}/access_rules/${row.id}` } })
