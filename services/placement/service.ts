// Placement's table of contents: the only truth about capacity. Built so far: version 1.0 of the public API, and the claims of our own services.
import { anyone } from '#kit/policy/rules.ts'
import type { ServiceModule } from '#kit/service.ts'
import { statusText } from '#kit/http/status.ts'
import { claim, deleteAllocations, replaceAllocations, showAllocations, showProviderAllocations } from './allocations/api.ts'
import { operation, type Deps } from './deps.ts'
import { first } from './migrations/0001-first.ts'
import * as providers from './providers/api.ts'

const version = operation({
  name: 'showVersions', method: 'GET', path: '', atRoot: true, summary: 'The versions of the API.', access: anyone,
  handle: async (_ctx, { urls }) => ({ versions: [{ id: 'v1.0', min_version: '1.0', max_version: '1.0', status: 'CURRENT', links: [{ rel: 'self', href: urls.root }] }] }),
})

export const placement: ServiceModule<Deps> = {
  http: {
    name: 'placement', mount: '/placement', prefixes: [''], tokens: 'project',
    microversions: { service: 'placement', min: '1.0', max: '1.0' },
    operations: [
      version, providers.listResourceProviders, providers.createResourceProvider, providers.showResourceProvider, providers.updateResourceProvider, providers.deleteResourceProvider,
      providers.listInventories, providers.replaceInventories, providers.showUsages, providers.providersWithRoom, providers.ensureProvider,
      showAllocations, showProviderAllocations, replaceAllocations, deleteAllocations, claim,
    ],
    // Placement answers a list of errors, each with the request's id.
    envelope: (fault) => ({ errors: [{ status: fault.status, title: statusText(fault.status), detail: fault.message, request_id: fault.requestId, ...(fault.type && { code: fault.type }) }] }),
  },
  migrations: [first],
  access: async () => [
    { operation: 'showVersions', expect: { nobody: 200, reader: 200, member: 200, manager: 200, admin: 200, other: 200 } },
    ...(await Promise.all([import('./providers/access.ts'), import('./allocations/access.ts')])).flatMap((m) => m.access),
  ],
}
