import { newId } from '#base/ids.ts'
import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'

const provider = async (w: AccessWorld): Promise<{ params: { uuid: string } }> => {
  const uuid = newId()
  await w.call('admin', 'placement', 'createResourceProvider', { body: { name: w.unique('provider'), uuid } })
  return { params: { uuid } }
}
const internal = { nobody: 401, reader: 404, member: 404, manager: 404, admin: 404, other: 404 }

export const access: AccessCase[] = [
  { operation: 'listResourceProviders', expect: verdicts.admin() },
  { operation: 'createResourceProvider', request: (w) => ({ body: { name: w.unique('provider') } }), expect: verdicts.admin(201) },
  { operation: 'showResourceProvider', request: provider, expect: verdicts.admin() },
  { operation: 'updateResourceProvider', request: async (w) => ({ ...await provider(w), body: { name: w.unique('renamed') } }), expect: verdicts.admin() },
  { operation: 'deleteResourceProvider', request: provider, expect: verdicts.admin(204) },
  { operation: 'listInventories', request: provider, expect: verdicts.admin() },
  { operation: 'replaceInventories', request: async (w) => ({ ...await provider(w), body: { resource_provider_generation: 0, inventories: { VCPU: { total: 4 } } } }), expect: verdicts.admin() },
  { operation: 'showProviderUsages', request: provider, expect: verdicts.admin() },
  { operation: 'providersWithRoom', expect: internal },
  { operation: 'ensureProvider', request: () => ({ params: { uuid: newId() } }), expect: internal },
]
