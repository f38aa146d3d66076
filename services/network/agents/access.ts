import { verdicts, type AccessCase } from '#kit/testing/access.ts'

export const access: AccessCase[] = [
  { operation: 'listAgents', expect: verdicts.listing() },
  { operation: 'showAgent', request: () => ({ params: { agent_id: '00000000-0000-4000-8000-000000000000' } }), expect: verdicts.listing(404) },
  { operation: 'listAvailabilityZones', expect: verdicts.listing() },
]
