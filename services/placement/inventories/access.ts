import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'
import { makeProvider } from '../providers/access.ts'

/** A provider with 8 VCPU. */
export const makeStocked = async (w: AccessWorld): Promise<{ params: { uuid: string, resource_class: string } }> => {
  const { params } = await makeProvider(w)
  await w.call('admin', 'placement', 'replaceInventories', { params, body: { resource_provider_generation: 0, inventories: { VCPU: { total: 8 } } } })
  return { params: { ...params, resource_class: 'VCPU' } }
}
const body = { total: 4, resource_provider_generation: 1 }

export const access: AccessCase[] = [
  { operation: 'listInventories', request: makeProvider, expect: verdicts.admin() },
  { operation: 'replaceInventories', request: async (w) => ({ ...await makeProvider(w), body: { resource_provider_generation: 0, inventories: { VCPU: { total: 4 } } } }),
    expect: verdicts.admin() },
  { operation: 'deleteInventories', request: makeStocked, expect: verdicts.admin(204) },
  { operation: 'createInventory', request: async (w) => ({ ...await makeProvider(w), body: { total: 4, resource_class: 'VCPU' } }), expect: verdicts.admin(201) },
  { operation: 'showInventory', request: makeStocked, expect: verdicts.admin() },
  { operation: 'updateInventory', request: async (w) => ({ ...await makeStocked(w), body }), expect: verdicts.admin() },
  { operation: 'deleteInventory', request: makeStocked, expect: verdicts.admin(204) },
]
