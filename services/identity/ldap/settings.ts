// A domain's `ldap` options as the directory's reader wants them: https://docs.openstack.org/keystone/latest/admin/configuration.html#integrate-identity-with-ldap
import { defaults, type Groups, type Value } from '../domain-config/options.ts'

/** Where a kind of entries is, and which attributes say what. */
export interface Tree { base: string, objectClass: string, filter: string | undefined, id: string, name: string, description: string }
/** A directory's address and its trees. */
export interface DirectorySettings {
  urls: string[]
  user: string | undefined
  password: string
  startTls: boolean
  /** Whether the server must show a certificate that is vouched for, and by whom. */
  demandCertificate: boolean
  caFile: string | undefined
  scope: 'one' | 'sub'
  pageSize: number
  users: Tree & { mail: string, enabled: { attribute: string, invert: boolean, mask: number, fallback: string }, ignored: string[] }
  groups: Tree & { member: string, membersAreIds: boolean, /** Members of a group within a group are members of both. */ nested: boolean }
}

const text = (value: Value | undefined): string | undefined => (value === null || value === undefined || value === '' ? undefined : String(value))
const truth = (value: Value | undefined): boolean => value === true || /^(true|1|yes|on)$/i.test(String(value))

/** undefined for a domain whose users stand in the database. */
export function settingsOf(config: Groups): DirectorySettings | undefined {
  if (config.identity?.driver !== 'ldap') return undefined
  const o: Record<string, Value> = { ...defaults.ldap, ...config.ldap }, suffix = String(o.suffix)
  const tree = (kind: 'user' | 'group', description: string): Tree => ({
    base: text(o[`${kind}_tree_dn`]) ?? `ou=${kind === 'user' ? 'Users' : 'UserGroups'},${suffix}`,
    objectClass: String(o[`${kind}_objectclass`]), filter: text(o[`${kind}_filter`]),
    id: String(o[`${kind}_id_attribute`]), name: String(o[`${kind}_name_attribute`]), description,
  })
  return {
    urls: String(o.url).split(',').map((u) => u.trim()).filter(Boolean).slice(0, 5), user: text(o.user),
    password: String(o.password ?? ''), startTls: truth(o.use_tls), demandCertificate: o.tls_req_cert !== 'never',
    caFile: text(o.tls_cacertfile), scope: o.query_scope === 'sub' ? 'sub' : 'one', pageSize: Math.min(Math.max(Number(o.page_size) || 0, 0), 1000),
    users: {
      ...tree('user', String(o.user_description_attribute)), mail: String(o.user_mail_attribute),
      ignored: Array.isArray(o.user_attribute_ignore) ? o.user_attribute_ignore.map(String) : String(o.user_attribute_ignore).split(','),
      enabled: {
        attribute: String(o.user_enabled_attribute), invert: truth(o.user_enabled_invert), mask: Number(o.user_enabled_mask) || 0,
        fallback: String(o.user_enabled_default),
      },
    },
    groups: {
      ...tree('group', String(o.group_desc_attribute)), member: String(o.group_member_attribute),
      membersAreIds: truth(o.group_members_are_ids), nested: truth(o.group_ad_nesting) && !truth(o.group_members_are_ids),
    },
  }
}
