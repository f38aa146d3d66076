import { newId } from '#base/ids.ts'
import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { makeProvider } from '../providers/access.ts'

export const access: AccessCase[] = [
  { operation: 'listProviderAggregates', request: makeProvider, expect: verdicts.admin() },
  { operation: 'replaceProviderAggregatesBlindly', request: async (w) => ({ ...await makeProvider(w), body: [newId()], version: '1.18' }), expect: verdicts.admin() },
  { operation: 'replaceProviderAggregates', request: async (w) => ({ ...await makeProvider(w), body: { aggregates: [newId()], resource_provider_generation: 0 } }),
    expect: verdicts.admin() },
]
