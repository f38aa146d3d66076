import { verdicts, type AccessCase } from '#kit/testing/access.ts'

export const access: AccessCase[] = [
  { operation: 'listExtensions', expect: verdicts.listing() },
  { operation: 'showExtension', request: () => ({ params: { alias: 'os-keypairs' } }), expect: verdicts.listing() },
]
