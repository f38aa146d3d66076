// Placement's table of contents: the only truth about capacity.
import { anyone } from '#kit/policy/rules.ts'
import type { ServiceModule } from '#kit/service.ts'
import * as aggregates from './aggregates/api.ts'
import * as allocations from './allocations/api.ts'
import { listAllocationCandidates } from './candidates/api.ts'
import { operation, type Deps } from './deps.ts'
import { ensureProvider, providersWithRoom } from './internal/api.ts'
import * as inventories from './inventories/api.ts'
import { first } from './migrations/0001-first.ts'
import { trees } from './migrations/0002-trees.ts'
import * as providers from './providers/api.ts'
import { dated, envelope, faultPage, inspectHeaders, maxVersion, minVersion } from './replies.ts'
import { reshape } from './reshaper/api.ts'
import * as classes from './resource-classes/api.ts'
import * as traits from './traits/api.ts'
import * as usages from './usages/api.ts'

const versions = operation({
  name: 'showVersions', method: 'GET', path: '', atRoot: true, summary: 'The versions of the API.', access: anyone,
  // The link is empty: this very place.
  async handle(_ctx, { version }) {
    const links = [{ rel: 'self', href: '' }]
    return dated(version, { versions: [{ id: `v${minVersion}`, min_version: minVersion, max_version: maxVersion, status: 'CURRENT', links }] })
  },
})

export const placement: ServiceModule<Deps> = {
  http: {
    name: 'placement', mount: '/placement', prefixes: [''], tokens: 'project', strictPaths: true, noHead: true,
    microversions: { service: 'placement', min: minVersion, max: maxVersion, anyNumbers: true },
    operations: [
      versions, providers.listResourceProviders, providers.createResourceProvider, providers.showResourceProvider,
      providers.updateResourceProvider, providers.deleteResourceProvider,
      inventories.listInventories, inventories.replaceInventories, inventories.deleteInventories,
      inventories.createInventory, inventories.showInventory, inventories.updateInventory, inventories.deleteInventory,
      aggregates.listProviderAggregates, aggregates.replaceProviderAggregates, aggregates.replaceProviderAggregatesBlindly,
      traits.listTraits, traits.showTrait, traits.ensureTrait, traits.deleteTrait, traits.listProviderTraits, traits.replaceProviderTraits, traits.deleteProviderTraits,
      classes.listResourceClasses, classes.createResourceClass, classes.showResourceClass, classes.renameResourceClass, classes.ensureResourceClass, classes.deleteResourceClass,
      allocations.showAllocations, allocations.showProviderAllocations, allocations.replaceAllocationsListed,
      allocations.replaceAllocations, allocations.manageAllocations, allocations.deleteAllocations,
      usages.showUsages, usages.listUsages, listAllocationCandidates, reshape, providersWithRoom, ensureProvider,
    ],
    envelope, faultPage, inspectHeaders,
  },
  migrations: [first, trees],
  access: async () => [
    { operation: 'showVersions', expect: { nobody: 200, reader: 200, member: 200, manager: 200, admin: 200, other: 200 } },
    ...(await Promise.all([
      import('./providers/access.ts'), import('./inventories/access.ts'), import('./aggregates/access.ts'), import('./traits/access.ts'), import('./resource-classes/access.ts'),
      import('./allocations/access.ts'), import('./usages/access.ts'), import('./candidates/access.ts'), import('./reshaper/access.ts'), import('./internal/access.ts'),
    ])).flatMap((m) => m.access),
  ],
}
