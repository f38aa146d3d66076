import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'

const custom = (w: AccessWorld): string => w.unique('CUSTOM').toUpperCase().replaceAll('-', '_')
const made = async (w: AccessWorld): Promise<{ params: { name: string } }> => {
  const name = custom(w)
  await w.call('admin', 'placement', 'ensureResourceClass', { params: { name } })
  return { params: { name } }
}

export const access: AccessCase[] = [
  { operation: 'listResourceClasses', expect: verdicts.admin() },
  { operation: 'createResourceClass', request: (w) => ({ body: { name: custom(w) } }), expect: verdicts.admin(201) },
  { operation: 'showResourceClass', request: () => ({ params: { name: 'VCPU' } }), expect: verdicts.admin() },
  { operation: 'renameResourceClass', request: async (w) => ({ ...await made(w), body: { name: custom(w) }, version: '1.6' }), expect: verdicts.admin() },
  { operation: 'ensureResourceClass', request: (w) => ({ params: { name: custom(w) } }), expect: verdicts.admin(201) },
  { operation: 'deleteResourceClass', request: made, expect: verdicts.admin(204) },
]
