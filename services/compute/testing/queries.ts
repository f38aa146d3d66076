// What makes compute's lists longer, so that a test can see that they cost no more then. Servers have all that a view may show.
import { newId } from '#base/ids.ts'
import type { AccessWorld } from '#kit/testing/access.ts'
import type { Filler, QueriesSetup } from '#kit/testing/run-queries.ts'
import { report } from '../conductor/hosts-store.ts'
import { makeServer } from '../servers/access.ts'
import type { ComputeTest } from './start.ts'

const facts = { hypervisorType: 'fake', hypervisorVersion: 1, vcpus: 1000, memoryMib: 1_000_000, diskGib: 1_000_000, cpuInfo: {}, traits: [] }

export function fillers(started: () => ComputeTest): QueriesSetup {
  const say = (w: AccessWorld, operation: string, params: Record<string, string>, body: unknown) => w.call('admin', 'compute', operation, { params, body })
  async function port(w: AccessWorld, device_id: string): Promise<void> {
    const { world } = started(), n = world.ports.length, group = { id: newId(), name: w.unique('group'), description: '', project_id: w.projectId, security_group_rules: [] as never[] }
    world.securityGroups.push(group)
    world.ports.push({
      id: newId(), device_id, project_id: w.projectId, network_id: newId(), network_name: `net-${n}`, mac_address: 'fa:16:3e:00:00:01', status: 'ACTIVE',
      fixed_ips: [{ ip_address: `10.0.${n >> 8}.${n & 255}`, subnet_id: newId() }], floating_ips: [], security_groups: [{ id: group.id, name: group.name }],
    })
  }
  /** On a host of its own. */
  async function server(w: AccessWorld): Promise<void> {
    const { store } = started(), server_id = await makeServer(w), name = w.unique('host')
    await store.as<any>().tx((tx) => report(tx, name, '127.0.0.1', facts as never))
    await say(w, 'createServerMetadata', { server_id }, { metadata: { a: 'b' } })
    await say(w, 'replaceServerTags', { server_id }, { tags: ['red', 'blue'] })
    await port(w, server_id)
    const { body: { aggregate } } = await say(w, 'createAggregate', {}, { aggregate: { name: w.unique('aggregate'), availability_zone: w.unique('zone') } })
    await say(w, 'addHostToAggregate', { aggregate_id: String(aggregate.id) }, { host: name })
    await store.as<any>().tx((tx) => tx.db.updateTable('computeServers').set({ host: name, node: name }).where('id', '=', server_id).execute())
  }
  const card: Filler = (w, { server_id }) => port(w, server_id!)
  const flavor: Filler = async (w) => {
    const { body } = await say(w, 'createFlavor', {}, { flavor: { name: w.unique('flavor'), ram: 64, vcpus: 1, disk: 1 } })
    await say(w, 'createExtraSpecs', { flavor_id: body.flavor.id }, { extra_specs: { color: 'red' } })
  }
  return {
    filledBy: {
      listServers: server, listServersDetailed: server, listHypervisors: server, listHypervisorsDetailed: server, listAvailabilityZones: server, listAvailabilityZonesDetailed: server, listComputeServices: server, listAggregates: server,
      listUsages: async (w) => {
        const id = await makeServer(w)
        await started().store.as<any>().tx((tx) => tx.db.updateTable('computeServers').set({ projectId: newId() }).where('id', '=', id).execute())
      },
      listServerMetadata: (w, params) => { const key = w.unique('key'); return say(w, 'updateServerMetadataItem', { ...params, key }, { meta: { [key]: 'b' } }) },
      listServerAddresses: card, listServerInterfaces: card, listServerSecurityGroups: card,
      listInstanceActions: async (w, params) => { for (const operation of ['lockServer', 'unlockServer']) await say(w, operation, params, null) },
      listFlavors: flavor, listFlavorsDetailed: flavor,
      listFlavorAccess: (w, params) => say(w, 'addFlavorAccess', params, { tenant: w.unique('project') }),
      listExtraSpecs: (w, params) => say(w, 'createExtraSpecs', params, { extra_specs: { [w.unique('key')]: 'red' } }),
      listServerGroups: async (w) => {
        await w.call('admin', 'compute', 'updateQuota', { params: { tenant_id: w.projectId }, body: { quota_set: { server_groups: -1, force: true } } })
        await w.call('member', 'compute', 'createServerGroup', { body: { server_group: { name: w.unique('group'), policy: 'affinity' } } })
      },
      // By a part of their names.
      listHypervisorServers: async (w, params) => {
        params.hypervisor_id = 'host'
        await server(w)
      },
    },
    asked: {
      listServers: { all_tenants: '1' }, listServersDetailed: { all_tenants: '1' }, listServerGroups: { all_projects: '1' }, listHypervisors: { with_servers: 'true' }, listHypervisorsDetailed: { with_servers: 'true' }, listUsages: { detailed: '1' },
    },
    fixed: { listVersions: 'a document', listExtensions: 'a document', listVolumeAttachments: 'there are no volumes', listSecurityGroups: 'one list of network\'s' },
  }
}
