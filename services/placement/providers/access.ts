import { newId } from '#base/ids.ts'
import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'

export const makeProvider = async (w: AccessWorld): Promise<{ params: { uuid: string } }> => {
  const uuid = newId()
  await w.call('admin', 'placement', 'createResourceProvider', { body: { name: w.unique('provider'), uuid } })
  return { params: { uuid } }
}

export const access: AccessCase[] = [
  { operation: 'listResourceProviders', expect: verdicts.admin() },
  { operation: 'createResourceProvider', request: (w) => ({ body: { name: w.unique('provider') } }), expect: verdicts.admin() },
  { operation: 'showResourceProvider', request: makeProvider, expect: verdicts.admin() },
  { operation: 'updateResourceProvider', request: async (w) => ({ ...await makeProvider(w), body: { name: w.unique('renamed') } }), expect: verdicts.admin() },
  { operation: 'deleteResourceProvider', request: makeProvider, expect: verdicts.admin(204) },
]
