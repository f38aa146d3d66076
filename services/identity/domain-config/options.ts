// The options a domain may have of its own, with their defaults: keystone's groups `identity` and `ldap`. `group_ad_nesting` keystone takes from its files only,
// which there are none of here.
import { forbidden } from '#base/errors.ts'

export type Value = string | number | boolean | null | (string | number)[]
export type Groups = Record<string, Record<string, Value>>

/** What holds where a domain says nothing, by group and option. */
export const defaults: Groups = {
  identity: { driver: 'sql', list_limit: null },
  ldap: {
    url: 'ldap://localhost', user: null, suffix: 'cn=example,cn=com', query_scope: 'one', page_size: 0, alias_dereferencing: 'default', debug_level: null, chase_referrals: null,
    user_tree_dn: null, user_filter: null, user_objectclass: 'inetOrgPerson', user_id_attribute: 'cn', user_name_attribute: 'sn', user_mail_attribute: 'mail',
    user_description_attribute: 'description', user_pass_attribute: 'userPassword', user_enabled_attribute: 'enabled', user_enabled_invert: false, user_enabled_mask: 0,
    user_enabled_default: 'True', user_attribute_ignore: ['default_project_id'], user_default_project_id_attribute: null,
    user_enabled_emulation: false, user_enabled_emulation_dn: null,
    user_enabled_emulation_use_group_config: false, user_additional_attribute_mapping: [],
    group_tree_dn: null, group_filter: null, group_objectclass: 'groupOfNames', group_id_attribute: 'cn', group_name_attribute: 'ou', group_members_are_ids: false,
    group_member_attribute: 'member', group_desc_attribute: 'description', group_attribute_ignore: [], group_ad_nesting: false, group_additional_attribute_mapping: [],
    tls_cacertfile: null, tls_cacertdir: null, use_tls: false, tls_req_cert: 'demand', use_pool: true, pool_size: 10, pool_retry_max: 3, pool_retry_delay: 0.1,
    pool_connection_timeout: -1, pool_connection_lifetime: 600, use_auth_pool: true, auth_pool_size: 100, auth_pool_connection_lifetime: 60,
  },
}
/** Written, used, never shown. */
const sensitive: Record<string, readonly string[]> = { ldap: ['password'] }
/** Whether it is sealed at rest and never shown. */
export const isSensitive = (group: string, option: string): boolean => Object.hasOwn(sensitive, group) && sensitive[group]!.includes(option)

const invalid = (reason: string): Error => forbidden(`Invalid domain specific configuration: ${reason}.`)

/** Throws the 403 for what no domain may have of its own. */
export function checkNames(group?: string, option?: string): void {
  if (group === undefined) return
  if (!Object.hasOwn(defaults, group)) throw invalid(`Group ${group.slice(0, 64)} is not supported for domain specific configurations`)
  if (option !== undefined && !Object.hasOwn(defaults[group]!, option) && !isSensitive(group, option)) {
    throw invalid(`Option ${option.slice(0, 64)} in group ${group} is not supported for domain specific configurations`)
  }
}

/** Throws the 403 unless it is a config of known options; of one group, or one option, where the path names it. */
export function checkConfig(config: Groups, group?: string, option?: string): void {
  checkNames(group, option)
  if (Object.keys(config).length === 0) throw invalid('No options specified')
  for (const [name, options] of Object.entries(config)) {
    if (typeof options !== 'object' || options === null || Array.isArray(options) || Object.keys(options).length === 0) {
      throw invalid(`The value of group ${name.slice(0, 64)} specified in the config should be a dictionary of options`)
    }
    for (const each of Object.keys(options)) checkNames(name, each)
  }
  if (group === undefined) return
  const names = Object.keys(config), options = Object.keys(config[names[0]!]!)
  if (option === undefined) {
    if (names.length !== 1) throw invalid(`Trying to update group ${group}, so that, and only that, group must be specified in the config`)
    if (names[0] !== group) throw invalid(`request to update group ${group}, but config provided contains group ${names[0]} instead`)
  } else if (options.length !== 1) throw invalid(`Trying to update option ${option} in group ${group}, so that, and only that, option must be specified  in the config`)
  else if (options[0] !== option) throw invalid(`Trying to update option ${option} in group ${group}, but config provided contains option ${options[0]} instead`)
}

/** The rules for passwords that everybody may read. */
export const readable = ['password_regex', 'password_regex_description'] as const
export const notReadable = (): Error => invalid('Reading security compliance values other than password_regex and password_regex_description is not allowed.')
export const notDefaultDomain = (): Error => invalid('Reading security compliance information for any domain other than the default domain is not allowed or supported.')
export const noDefault = (group: string, option: string): Error => invalid(`Reading the default for option ${option} in group ${group} is not supported`)
