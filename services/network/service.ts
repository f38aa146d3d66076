// Network's table of contents: neutron v2.0.
import type { ServiceModule } from '#kit/service.ts'
import type { FaultView } from '#kit/http/service.ts'
import { statusText } from '#kit/http/status.ts'
import { listAgents, listAvailabilityZones, showAgent } from './agents/api.ts'
import type { Deps } from './deps.ts'
import { listExtensions, showExtension } from './documents/extensions.ts'
import { listServiceProviders } from './documents/service-providers.ts'
import { listVersions, showVersion } from './documents/versions.ts'
import * as floatingIps from './floatingips/api.ts'
import { floatingIp } from './floatingips/noun.ts'
import * as internal from './internal/api.ts'
import { first } from './migrations/0001-first.ts'
import * as networks from './networks/api.ts'
import { network as networkNoun } from './networks/noun.ts'
import * as ports from './ports/api.ts'
import { port } from './ports/noun.ts'
import * as quotas from './quotas/api.ts'
import * as routers from './routers/api.ts'
import { addExtraRoutes, removeExtraRoutes } from './routers/extra-routes.ts'
import { addRouterInterface, removeRouterInterface } from './routers/interfaces.ts'
import { router } from './routers/noun.ts'
import * as rules from './security-group-rules/api.ts'
import * as groups from './security-groups/api.ts'
import { securityGroup } from './security-groups/noun.ts'
import * as subnets from './subnets/api.ts'
import { subnet } from './subnets/noun.ts'
import { tagging } from './tags/api.ts'

/** What neutron calls a fault that has no name of its own. */
const unnamed: Partial<Record<FaultView['kind'], string>> = {
  badRequest: 'HTTPBadRequest', forbidden: 'PolicyNotAuthorized', notFound: 'HTTPNotFound', methodNotAllowed: 'HTTPMethodNotAllowed', conflict: 'Conflict', tooLarge: 'HTTPRequestEntityTooLarge',
  unsupportedMediaType: 'HTTPUnsupportedMediaType', overQuota: 'OverQuota', unavailable: 'HTTPServiceUnavailable', internal: 'HTTPInternalServerError',
}

export const network: ServiceModule<Deps> = {
  http: {
    name: 'network', mount: '/network', prefixes: ['/v2.0'], tokens: 'project',
    operations: [
      listVersions, showVersion, listExtensions, showExtension,
      networks.listNetworks, networks.createNetwork, networks.showNetwork, networks.updateNetwork, networks.deleteNetwork,
      subnets.listSubnets, subnets.createSubnet, subnets.showSubnet, subnets.updateSubnet, subnets.deleteSubnet,
      ports.listPorts, ports.createPort, ports.showPort, ports.updatePort, ports.deletePort,
      routers.listRouters, routers.createRouter, routers.showRouter, routers.updateRouter, routers.deleteRouter, addRouterInterface, removeRouterInterface,
      addExtraRoutes, removeExtraRoutes,
      floatingIps.listFloatingIps, floatingIps.createFloatingIp, floatingIps.showFloatingIp, floatingIps.updateFloatingIp, floatingIps.deleteFloatingIp,
      groups.listSecurityGroups, groups.createSecurityGroup, groups.showSecurityGroup, groups.updateSecurityGroup, groups.deleteSecurityGroup,
      rules.listSecurityGroupRules, rules.createSecurityGroupRule, rules.showSecurityGroupRule, rules.deleteSecurityGroupRule,
      ...[networkNoun, subnet, port, router, floatingIp, securityGroup].flatMap((noun) => tagging(noun)),
      quotas.listQuotas, quotas.showQuotas, quotas.showDefaultQuotas, quotas.showQuotaDetails, quotas.showQuotaDetailsJson, quotas.updateQuotas, quotas.deleteQuotas,
      listAgents, showAgent, listAvailabilityZones, listServiceProviders,
      internal.ensurePort, internal.removePort, internal.bindPort, internal.unbindPort, internal.describePorts, internal.metadataOwner,
    ],
    // Who has no valid token hears it from the token middleware, in keystone's words.
    envelope: (fault) => fault.kind === 'unauthorized'
      ? { error: { code: fault.status, title: statusText(fault.status), message: fault.message } }
      : { NeutronError: { type: fault.type ?? unnamed[fault.kind] ?? 'HTTPClientError', message: fault.message, detail: '' } },
    statuses: { overQuota: 409 },
  },
  migrations: [first],
  access: async () => (await Promise.all([
    import('./documents/access.ts'), import('./networks/access.ts'), import('./subnets/access.ts'), import('./ports/access.ts'), import('./routers/access.ts'), import('./floatingips/access.ts'),
    import('./security-groups/access.ts'), import('./security-group-rules/access.ts'), import('./tags/access.ts'), import('./quotas/access.ts'), import('./agents/access.ts'), import('./internal/access.ts'),
  ])).flatMap((m) => m.access),
}
