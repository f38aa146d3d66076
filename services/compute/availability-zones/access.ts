import { verdicts, type AccessCase } from '#kit/testing/access.ts'

export const access: AccessCase[] = [
  { operation: 'listAvailabilityZones', expect: verdicts.listing() },
  { operation: 'listAvailabilityZonesDetailed', expect: verdicts.admin() },
]
