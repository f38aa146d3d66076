import { verdicts, type AccessCase } from '#kit/testing/access.ts'

export const access: AccessCase[] = [
  { operation: 'listVersions', expect: verdicts.everybody() },
  { operation: 'showVersion', expect: verdicts.everybody() },
  { operation: 'listExtensions', expect: verdicts.listing() },
  { operation: 'showExtension', request: () => ({ params: { alias: 'router' } }), expect: verdicts.listing() },
  { operation: 'listServiceProviders', expect: verdicts.listing() },
]
