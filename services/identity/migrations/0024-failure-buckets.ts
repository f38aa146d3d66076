import type { Migration } from '#kit/store/migrations.ts'

/** Failures to log in that still count, for all control planes together. */
export const failureBuckets: Migration = {
  id: '0024-failure-buckets',
  changes: [{ createTable: 'identityFailureBuckets', as: { columns: { bucket: 'text', emptyAtMs: 'int' }, primaryKey: ['bucket'] } }],
}
