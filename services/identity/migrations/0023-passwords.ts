import type { Migration } from '#kit/store/migrations.ts'

/** What the rules for passwords and log-ins remember: former passwords, failures, and when somebody was here last. */
export const passwords: Migration = {
  id: '0023-passwords',
  changes: [
    { createTable: 'identityPasswords', as: {
      columns: { userId: 'id', number: 'int', passwordHash: 'text', createdAt: 'at', selfService: 'bool' },
      primaryKey: ['userId', 'number'],
    } },
    { createTable: 'identityLoginFailures', as: { columns: { who: 'id', failures: 'int', failedAt: 'at' }, primaryKey: ['who'] } },
    { createTable: 'identityActivity', as: { columns: { userId: 'id', lastActiveOn: 'at' }, primaryKey: ['userId'] } },
  ],
}
