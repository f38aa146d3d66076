// Who may ask for versions.
import { verdicts, type AccessCase } from '#kit/testing/access.ts'

export const access: AccessCase[] = [
  { operation: 'listVersions', expect: verdicts.everybody(300) },
  { operation: 'showVersions', expect: verdicts.everybody() },
]
