import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'

const make = async (w: AccessWorld, isPublic = true): Promise<string> => {
  const { body } = await w.call('admin', 'compute', 'createFlavor', { body: { flavor: { name: w.unique('flavor'), ram: 64, vcpus: 1, disk: 1, 'os-flavor-access:is_public': isPublic } } })
  return body.flavor.id
}
const on = async (w: AccessWorld): Promise<{ params: { flavor_id: string } }> => ({ params: { flavor_id: await make(w) } })
const withSpec = async (w: AccessWorld): Promise<{ params: { flavor_id: string, key: string } }> => {
  const id = await make(w)
  await w.call('admin', 'compute', 'createExtraSpecs', { params: { flavor_id: id }, body: { extra_specs: { color: 'red' } } })
  return { params: { flavor_id: id, key: 'color' } }
}

export const access: AccessCase[] = [
  { operation: 'listFlavors', expect: verdicts.listing() },
  { operation: 'listFlavorsDetailed', expect: verdicts.listing() },
  { operation: 'showFlavor', request: on, expect: verdicts.listing() },
  { operation: 'showFlavor', about: 'a private one that nobody was given', request: async (w) => ({ params: { flavor_id: await make(w, false) } }), expect: { nobody: 401, reader: 404, member: 404, manager: 404, admin: 200, other: 404 } },
  { operation: 'createFlavor', request: (w) => ({ body: { flavor: { name: w.unique('flavor'), ram: 64, vcpus: 1, disk: 1 } } }), expect: verdicts.admin() },
  { operation: 'updateFlavor', request: async (w) => ({ ...await on(w), body: { flavor: { description: 'small' } } }), expect: verdicts.admin() },
  { operation: 'deleteFlavor', request: on, expect: verdicts.admin(202) },
  { operation: 'listFlavorAccess', request: async (w) => ({ params: { flavor_id: await make(w, false) } }), expect: verdicts.admin() },
  { operation: 'addFlavorAccess', request: async (w) => ({ params: { flavor_id: await make(w, false) }, body: { tenant: w.otherProjectId } }), expect: verdicts.admin() },
  { operation: 'removeFlavorAccess', request: async (w) => {
    const id = await make(w, false)
    await w.call('admin', 'compute', 'addFlavorAccess', { params: { flavor_id: id }, body: { tenant: w.otherProjectId } })
    return { params: { flavor_id: id }, body: { tenant: w.otherProjectId } }
  }, expect: verdicts.admin() },
  { operation: 'listExtraSpecs', request: on, expect: verdicts.listing() },
  { operation: 'showExtraSpec', request: withSpec, expect: verdicts.listing() },
  { operation: 'createExtraSpecs', request: async (w) => ({ ...await on(w), body: { extra_specs: { color: 'red' } } }), expect: verdicts.admin() },
  { operation: 'updateExtraSpec', request: async (w) => ({ ...await withSpec(w), body: { color: 'blue' } }), expect: verdicts.admin() },
  { operation: 'deleteExtraSpec', request: withSpec, expect: verdicts.admin() },
]
