import { verdicts, type AccessCase } from '#kit/testing/access.ts'

export const access: AccessCase[] = [{ operation: 'showUsage', expect: verdicts.listing() }]
