// Compute's table of contents: nova v2.1.
import type { ServiceModule } from '#kit/service.ts'
import * as aggregates from './aggregates/api.ts'
import * as zones from './availability-zones/api.ts'
import * as services from './compute-services/api.ts'
import type { Deps } from './deps.ts'
import * as extensions from './extensions/api.ts'
import { envelope, inspect, statuses } from './faults.ts'
import * as flavorAccess from './flavors/access-list.ts'
import * as flavors from './flavors/api.ts'
import * as extraSpecs from './flavors/extra-specs.ts'
import * as hypervisors from './hypervisors/api.ts'
import * as actions from './instance-actions/api.ts'
import * as keypairs from './keypairs/api.ts'
import { first } from './migrations/0001-first.ts'
import { conductor } from './migrations/0002-conductor.ts'
import { files } from './migrations/0003-files.ts'
import * as quotas from './quotas/api.ts'
import * as quotaClasses from './quotas/classes.ts'
import { showLimits } from './quotas/limits.ts'
import * as groups from './server-groups/api.ts'
import * as addresses from './servers/addresses.ts'
import * as servers from './servers/api.ts'
import { showConsoleOutput } from './servers/console.ts'
import { createServer } from './servers/create.ts'
import * as interfaces from './servers/interfaces.ts'
import { listServers, listServersDetailed } from './servers/list.ts'
import * as locks from './servers/lock.ts'
import * as metadata from './servers/metadata.ts'
import * as power from './servers/power.ts'
import { resetServerState } from './servers/reset-state.ts'
import * as securityGroups from './servers/security-groups.ts'
import * as tags from './servers/tags.ts'
import { showTrace } from './servers/trace.ts'
import { listVolumeAttachments } from './servers/volumes.ts'
import * as usage from './usage/api.ts'
import { listVersions, showVersion } from './version-documents/api.ts'
import { maxVersion, minVersion } from './versions.ts'

export const compute: ServiceModule<Deps> = {
  http: {
    name: 'compute', mount: '/compute', prefixes: ['/v2.1', '/v2.1/{project_id}', '/v2', '/v2/{project_id}'], tokens: 'project',
    microversions: { service: 'compute', min: minVersion, max: maxVersion, legacyHeader: 'X-OpenStack-Nova-API-Version' },
    operations: [
      listVersions, showVersion,
      listServers, listServersDetailed, createServer, servers.showServer, servers.updateServer, servers.deleteServer,
      servers.forceDeleteServer, power.startServer, power.stopServer, power.rebootServer, power.pauseServer, power.unpauseServer, power.suspendServer, power.resumeServer,
      showConsoleOutput, locks.lockServer, locks.unlockServer, resetServerState, securityGroups.addSecurityGroup, securityGroups.removeSecurityGroup,
      metadata.listServerMetadata, metadata.createServerMetadata, metadata.replaceServerMetadata, metadata.showServerMetadataItem, metadata.updateServerMetadataItem, metadata.deleteServerMetadataItem,
      tags.listServerTags, tags.replaceServerTags, tags.deleteServerTags, tags.checkServerTag, tags.addServerTag, tags.deleteServerTag,
      addresses.listAddresses, addresses.showAddresses, interfaces.listInterfaces, interfaces.showInterface, securityGroups.listServerSecurityGroups, securityGroups.listSecurityGroups, securityGroups.showSecurityGroup, listVolumeAttachments,
      actions.listInstanceActions, actions.showInstanceAction, showTrace,
      flavors.listFlavors, flavors.listFlavorsDetailed, flavors.createFlavor, flavors.showFlavor, flavors.updateFlavor, flavors.deleteFlavor,
      flavorAccess.listFlavorAccess, flavorAccess.addFlavorAccess, flavorAccess.removeFlavorAccess,
      extraSpecs.listExtraSpecs, extraSpecs.createExtraSpecs, extraSpecs.showExtraSpec, extraSpecs.updateExtraSpec, extraSpecs.deleteExtraSpec,
      keypairs.listKeypairs, keypairs.createKeypair, keypairs.showKeypair, keypairs.deleteKeypair,
      showLimits, quotas.showQuota, quotas.showQuotaDetail, quotas.showQuotaDefaults, quotas.updateQuota, quotas.deleteQuota, quotaClasses.showQuotaClass, quotaClasses.updateQuotaClass,
      groups.listServerGroups, groups.createServerGroup, groups.showServerGroup, groups.deleteServerGroup,
      zones.listAvailabilityZones, zones.listAvailabilityZonesDetailed,
      aggregates.listAggregates, aggregates.createAggregate, aggregates.showAggregate, aggregates.updateAggregate, aggregates.deleteAggregate,
      aggregates.addHostToAggregate, aggregates.removeHostFromAggregate, aggregates.setAggregateMetadata,
      hypervisors.listHypervisors, hypervisors.listHypervisorsDetailed, hypervisors.showHypervisor, hypervisors.showHypervisorUptime, hypervisors.showHypervisorStatistics, hypervisors.searchHypervisors, hypervisors.listHypervisorServers,
      services.listComputeServices, services.updateComputeService, services.enableComputeService, services.disableComputeService, services.disableComputeServiceReason, services.forceDownComputeService, services.deleteComputeService,
      usage.listUsages, usage.showUsage, extensions.listExtensions, extensions.showExtension,
    ],
    envelope, statuses, inspect,
    replyHeaders: (requestId) => ({ 'x-compute-request-id': requestId }),
  },
  migrations: [first, conductor, files],
  access: async () => (await Promise.all([
    import('./version-documents/access.ts'), import('./servers/access.ts'), import('./instance-actions/access.ts'), import('./flavors/access.ts'), import('./keypairs/access.ts'), import('./quotas/access.ts'),
    import('./availability-zones/access.ts'), import('./aggregates/access.ts'), import('./hypervisors/access.ts'), import('./compute-services/access.ts'), import('./server-groups/access.ts'), import('./usage/access.ts'),
    import('./extensions/access.ts'),
  ])).flatMap((m) => m.access),
}
