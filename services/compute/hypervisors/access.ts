import { verdicts, type AccessCase } from '#kit/testing/access.ts'

const unknown = { params: { hypervisor_id: '00000000-0000-4000-8000-000000000000' } }

export const access: AccessCase[] = [
  { operation: 'listHypervisors', expect: verdicts.admin() },
  { operation: 'listHypervisorsDetailed', expect: verdicts.admin() },
  { operation: 'showHypervisor', about: 'that is not there', request: () => unknown, expect: verdicts.admin(404) },
  { operation: 'showHypervisorUptime', about: 'of one that is not there', request: () => ({ ...unknown, version: '2.87' }), expect: verdicts.admin(404) },
  { operation: 'showHypervisorStatistics', request: () => ({ version: '2.87' }), expect: verdicts.admin() },
  { operation: 'searchHypervisors', about: 'with no match', request: () => ({ params: { hypervisor_id: 'nowhere' }, version: '2.52' }), expect: verdicts.admin(404) },
  { operation: 'listHypervisorServers', about: 'with no match', request: () => ({ params: { hypervisor_id: 'nowhere' }, version: '2.52' }), expect: verdicts.admin(404) },
]
