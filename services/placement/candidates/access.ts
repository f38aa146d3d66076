import { verdicts, type AccessCase } from '#kit/testing/access.ts'

export const access: AccessCase[] = [{ operation: 'listAllocationCandidates', request: () => ({ query: { resources: 'VCPU:1' } }), expect: verdicts.admin() }]
