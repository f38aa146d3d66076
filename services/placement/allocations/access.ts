import { newId } from '#base/ids.ts'
import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'
import { makeStocked } from '../inventories/access.ts'

const body = async (w: AccessWorld): Promise<object> =>
  ({
    allocations: { [(await makeStocked(w)).params.uuid]: { resources: { VCPU: 1 } } },
    project_id: w.projectId, user_id: 'u', consumer_generation: null, consumer_type: 'INSTANCE',
  })
const whole = async (w: AccessWorld) => ({ params: { consumer_uuid: newId() }, body: await body(w) })

export const access: AccessCase[] = [
  { operation: 'showAllocations', request: () => ({ params: { consumer_uuid: newId() } }), expect: verdicts.admin() },
  { operation: 'showProviderAllocations', request: makeStocked, expect: verdicts.admin() },
  { operation: 'replaceAllocations', request: whole, expect: verdicts.admin(204) },
  { operation: 'replaceAllocationsListed', request: async (w) => ({
    params: { consumer_uuid: newId() }, body: { allocations: [{ resource_provider: { uuid: (await makeStocked(w)).params.uuid }, resources: { VCPU: 1 } }] }, version: '1.0',
  }), expect: verdicts.admin(204) },
  { operation: 'manageAllocations', request: async (w) => ({ body: { [newId()]: await body(w) } }), expect: verdicts.admin(204) },
  { operation: 'deleteAllocations', request: async (w) => {
    const call = await whole(w)
    await w.call('admin', 'placement', 'replaceAllocations', call)
    return { params: call.params }
  }, expect: verdicts.admin(204) },
]
