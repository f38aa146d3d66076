// Rows of domains' options, and the config they make.
import { put } from '#kit/store/rows.ts'
import type { Deps, IdentityTx } from '../deps.ts'
import { isSensitive, type Groups, type Value } from './options.ts'

export interface DomainOptionRow { domainId: string, groupName: string, optionName: string, value: string }
export interface DomainOptionTables { identityDomainOptions: DomainOptionRow }

/** In the order of groups and options; of one group or one option, if said. */
export function list(tx: IdentityTx, domainId: string, group?: string, option?: string): Promise<DomainOptionRow[]> {
  let query = tx.db.selectFrom('identityDomainOptions').selectAll().where('domainId', '=', domainId)
  if (group !== undefined) query = query.where('groupName', '=', group)
  if (option !== undefined) query = query.where('optionName', '=', option)
  return query.orderBy('groupName').orderBy('optionName').execute()
}

/** What may be shown of the options. */
export function shown(rows: DomainOptionRow[]): Groups {
  const groups: Groups = {}
  for (const { groupName, optionName, value } of rows) if (!isSensitive(groupName, optionName)) (groups[groupName] ??= {})[optionName] = JSON.parse(value) as Value
  return groups
}

const owner = (domainId: string, group: string, option: string): string => `domain-config/${domainId}/${group}/${option}`

/** Writes these options beside those that are there. */
export async function save(tx: IdentityTx, vault: Deps['vault'], domainId: string, config: Groups): Promise<void> {
  for (const [group, options] of Object.entries(config)) {
    for (const [option, given] of Object.entries(options)) {
      const value = isSensitive(group, option) ? vault.seal(owner(domainId, group, option), given) : JSON.stringify(given)
      await put(tx, 'identityDomainOptions', { domainId, groupName: group, optionName: option }, { value })
    }
  }
}

/** All of them, or of one group, or one. */
export async function remove(tx: IdentityTx, domainId: string, group?: string, option?: string): Promise<void> {
  let query = tx.db.deleteFrom('identityDomainOptions').where('domainId', '=', domainId)
  if (group !== undefined) query = query.where('groupName', '=', group)
  if (option !== undefined) query = query.where('optionName', '=', option)
  await query.execute()
}

/**
 * A domain's config for use, sensitive options among it and filled into the others where these say `%(password)s`, as keystone has it. For identity's own
 * hands only: never shown, never logged.
 */
export async function configOf(tx: IdentityTx, vault: Deps['vault'], domainId: string): Promise<Groups> {
  const rows = await list(tx, domainId), groups = shown(rows), secrets: Record<string, string> = {}
  for (const { groupName, optionName, value } of rows) {
    if (!isSensitive(groupName, optionName)) continue
    const opened = vault.open(owner(domainId, groupName, optionName), value) as Value
    ;(groups[groupName] ??= {})[optionName] = opened
    secrets[optionName] = String(opened)
  }
  for (const options of Object.values(groups)) {
    for (const [option, value] of Object.entries(options)) {
      if (typeof value === 'string') options[option] = value.replace(/%\((\w+)\)s/g, (all, name: string) => (Object.hasOwn(secrets, name) ? secrets[name]! : all))
    }
  }
  return groups
}

/** How long lists of a domain's users and groups are, if it says so. */
export async function listLimitOf(tx: IdentityTx, domainId: string | undefined): Promise<number | undefined> {
  const [row] = domainId === undefined ? [] : await list(tx, domainId, 'identity', 'list_limit')
  const limit = row && Number(JSON.parse(row.value))
  return limit && Number.isSafeInteger(limit) && limit > 0 ? limit : undefined
}
