import { newId } from '#base/ids.ts'
import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'

const provider = async (w: AccessWorld): Promise<string> => {
  const uuid = newId()
  await w.call('admin', 'placement', 'createResourceProvider', { body: { name: w.unique('provider'), uuid } })
  await w.call('admin', 'placement', 'replaceInventories', { params: { uuid }, body: { resource_provider_generation: 0, inventories: { VCPU: { total: 8 } } } })
  return uuid
}
const allocation = async (w: AccessWorld) => ({ params: { consumer_uuid: newId() }, body: { allocations: [{ resource_provider: { uuid: await provider(w) }, resources: { VCPU: 1 } }] } })

export const access: AccessCase[] = [
  { operation: 'showAllocations', request: () => ({ params: { consumer_uuid: newId() } }), expect: verdicts.admin() },
  { operation: 'showProviderAllocations', request: async (w) => ({ params: { uuid: await provider(w) } }), expect: verdicts.admin() },
  { operation: 'replaceAllocations', request: allocation, expect: verdicts.admin(204) },
  { operation: 'deleteAllocations', request: async (w) => {
    const call = await allocation(w)
    await w.call('admin', 'placement', 'replaceAllocations', call)
    return { params: call.params }
  }, expect: verdicts.admin(204) },
  { operation: 'claimAllocations', request: () => ({ params: { consumer_uuid: newId() } }), expect: { nobody: 401, reader: 404, member: 404, manager: 404, admin: 404, other: 404 } },
]
