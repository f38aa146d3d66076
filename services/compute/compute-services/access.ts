import { verdicts, type AccessCase } from '#kit/testing/access.ts'

const unknown = { params: { service_id: '00000000-0000-4000-8000-000000000000' } }, nowhere = { host: 'nowhere', binary: 'nova-compute' }

// On services that are not there: a cloud's only host must go on taking servers.
export const access: AccessCase[] = [
  { operation: 'listComputeServices', expect: verdicts.admin() },
  { operation: 'updateComputeService', about: 'that is not there', request: () => ({ ...unknown, body: { status: 'enabled' } }), expect: verdicts.admin(404) },
  { operation: 'enableComputeService', about: 'that is not there', request: () => ({ body: nowhere, version: '2.52' }), expect: verdicts.admin(404) },
  { operation: 'disableComputeService', about: 'that is not there', request: () => ({ body: nowhere, version: '2.52' }), expect: verdicts.admin(404) },
  { operation: 'disableComputeServiceReason', about: 'that is not there', request: () => ({ body: { ...nowhere, disabled_reason: 'rest' }, version: '2.52' }), expect: verdicts.admin(404) },
  { operation: 'forceDownComputeService', about: 'that is not there', request: () => ({ body: { ...nowhere, forced_down: true }, version: '2.52' }), expect: verdicts.admin(404) },
  { operation: 'deleteComputeService', about: 'that is not there', request: () => unknown, expect: verdicts.admin(404) },
]
