import { verdicts, type AccessCase } from '#kit/testing/access.ts'

export const access: AccessCase[] = [
  { operation: 'listAgents', expect: verdicts.admin() },
  { operation: 'showAgent', request: () => ({ params: { agent_id: '00000000-0000-4000-8000-000000000000' } }), expect: verdicts.admin(404) },
  { operation: 'listAvailabilityZones', expect: verdicts.listing() },
]
