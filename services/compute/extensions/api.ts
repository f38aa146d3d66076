// nova's list of extensions, which older clients ask before they use something. Only what is built is listed.
// https://docs.openstack.org/api-ref/compute/#extensions-extensions-deprecated
import { notFound } from '#base/errors.ts'
import { operation } from '../deps.ts'
import { authenticated } from '../policy.ts'

const built: [alias: string, name: string][] = [
  ['os-admin-actions', 'AdminActions'], ['os-aggregates', 'Aggregates'], ['os-attach-interfaces', 'AttachInterfaces'], ['os-availability-zone', 'AvailabilityZone'], ['os-config-drive', 'ConfigDrive'], ['os-console-output', 'ConsoleOutput'],
  ['os-extended-availability-zone', 'ExtendedAvailabilityZone'], ['os-extended-server-attributes', 'ExtendedServerAttributes'], ['os-extended-status', 'ExtendedStatus'], ['os-flavor-access', 'FlavorAccess'],
  ['os-flavor-extra-specs', 'FlavorExtraSpecs'], ['os-flavor-manage', 'FlavorManage'], ['os-hypervisors', 'Hypervisors'], ['os-instance-actions', 'InstanceActions'], ['os-keypairs', 'Keypairs'], ['os-lock-server', 'LockServer'],
  ['os-multiple-create', 'MultipleCreate'], ['os-pause-server', 'PauseServer'], ['os-quota-class-sets', 'QuotaClasses'], ['os-quota-sets', 'Quotas'], ['os-scheduler-hints', 'SchedulerHints'],
  ['os-server-groups', 'ServerGroups'], ['os-server-usage', 'ServerUsage'], ['os-services', 'Services'], ['os-simple-tenant-usage', 'SimpleTenantUsage'], ['os-suspend-server', 'SuspendServer'], ['os-used-limits', 'UsedLimits'], ['os-user-data', 'UserData'],
]
const view = ([alias, name]: [string, string]): object => ({
  alias, name, description: `${name}.`, links: [], namespace: 'http://docs.openstack.org/compute/ext/fake_xml', updated: '2014-12-03T00:00:00Z',
})

export const listExtensions = operation({
  name: 'listExtensions', method: 'GET', path: '/extensions', summary: 'List what nova once called extensions.', access: authenticated,
  handle: async () => ({ extensions: built.map(view) }),
})

export const showExtension = operation({
  name: 'showExtension', method: 'GET', path: '/extensions/{alias}', summary: 'Show an extension.', access: authenticated,
  faults: ['notFound'],
  async handle(_ctx, { params }) {
    const found = built.find(([alias]) => alias === params.alias)
    if (!found) throw notFound('The resource could not be found.')
    return { extension: view(found) }
  },
})
