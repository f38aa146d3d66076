import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'
import { makeProvider } from '../providers/access.ts'

const made = async (w: AccessWorld): Promise<{ params: { name: string } }> => {
  const name = w.unique('CUSTOM').toUpperCase().replaceAll('-', '_')
  await w.call('admin', 'placement', 'ensureTrait', { params: { name } })
  return { params: { name } }
}

export const access: AccessCase[] = [
  { operation: 'listTraits', expect: verdicts.admin() },
  { operation: 'showTrait', request: () => ({ params: { name: 'HW_CPU_X86_AVX' } }), expect: verdicts.admin(204) },
  { operation: 'ensureTrait', request: made, expect: verdicts.admin(204) },
  { operation: 'deleteTrait', request: made, expect: verdicts.admin(204) },
  { operation: 'listProviderTraits', request: makeProvider, expect: verdicts.admin() },
  { operation: 'replaceProviderTraits', request: async (w) => ({ ...await makeProvider(w), body: { resource_provider_generation: 0, traits: ['HW_CPU_X86_AVX'] } }),
    expect: verdicts.admin() },
  { operation: 'deleteProviderTraits', request: makeProvider, expect: verdicts.admin(204) },
]
