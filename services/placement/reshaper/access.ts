import type { AccessCase } from '#kit/testing/access.ts'
import { makeProvider } from '../providers/access.ts'

// Not even administrators: only who owns the resources, a service, knows what hangs together.
export const access: AccessCase[] = [
  { operation: 'reshape',
    request: async (w) => {
      const { uuid } = (await makeProvider(w)).params
      return { body: { inventories: { [uuid]: { resource_provider_generation: 0, inventories: {} } }, allocations: {} } }
    },
    expect: { nobody: 401, reader: 403, member: 403, manager: 403, admin: 403, other: 403 } },
]
