import { verdicts, type AccessCase } from '#kit/testing/access.ts'

const start = { query: { start: '2020-01-01T00:00:00' } }
export const access: AccessCase[] = [
  { operation: 'listUsages', request: () => start, expect: verdicts.admin() },
  { operation: 'showUsage', request: (w) => ({ params: { tenant_id: w.projectId }, ...start }), expect: { ...verdicts.reader(), other: 403 } },
]
