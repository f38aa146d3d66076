import type { AccessCase } from '#kit/testing/access.ts'
import { verdicts } from '../testing/verdicts.ts'

export const access: AccessCase[] = [
  { operation: 'listVersions', expect: verdicts.everybody(300) },
  { operation: 'showVersion', expect: verdicts.everybody() },
]
