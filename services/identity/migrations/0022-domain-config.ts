import type { Migration } from '#kit/store/migrations.ts'

/** What single domains have otherwise than the rest. Values are JSON; those of sensitive options are sealed. */
export const domainConfig: Migration = {
  id: '0022-domain-config',
  changes: [{ createTable: 'identityDomainOptions', as: {
    columns: { domainId: 'id', groupName: 'id', optionName: 'id', value: 'long' },
    primaryKey: ['domainId', 'groupName', 'optionName'],
  } }],
}
