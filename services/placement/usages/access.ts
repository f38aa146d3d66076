import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { makeProvider } from '../providers/access.ts'

export const access: AccessCase[] = [
  { operation: 'showProviderUsages', request: makeProvider, expect: verdicts.admin() },
  { operation: 'listUsages', request: (w) => ({ query: { project_id: w.projectId } }), expect: { ...verdicts.listing(), other: 403 } },
  { operation: 'listUsages', about: 'of another project', request: (w) => ({ query: { project_id: w.otherProjectId } }), expect: { ...verdicts.admin(), other: 200 } },
]
