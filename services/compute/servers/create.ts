// "Create server": everything that can be refused is refused here; what then starts is the build saga's.
// https://docs.openstack.org/api-ref/compute/#create-server
import { badRequest, forbidden, overQuota } from '#base/errors.ts'
import { newId, newSecret } from '#base/ids.ts'
import { now } from '#base/time.ts'
import type { Context } from '#base/context.ts'
import { Reply, type Urls } from '#kit/http/operation.ts'
import { defaultZone, zonesOfHosts } from '../availability-zones/store.ts'
import { operation, type ComputeTx } from '../deps.ts'
import { asNumber, canonicalIpV6, isTrue } from '../fields.ts'
import * as flavors from '../flavors/store.ts'
import { computeServices, hostExists, isUp } from '../hosts/store.ts'
import * as actions from '../instance-actions/store.ts'
import * as keypairs from '../keypairs/store.ts'
import type { BuildPlan, PlannedNic } from '../lifecycle.ts'
import { linksOf } from '../links.ts'
import { nextNumber } from '../numbers.ts'
import { limitsOf, takeServers, type Limits } from '../quotas/store.ts'
import type { KeypairRow, ServerRow } from '../schema.ts'
import { checkFit, imageOf } from './image.ts'
import { planNics, securityGroupIds, type AskedNetwork } from './networks.ts'
import * as policy from './policy.ts'
import { bootImage, checkBase64, checkPersonality, createBody, hostnameOf, parseZone, type ServerRequest } from './request.ts'
import * as servers from './store.ts'
import * as groups from '../server-groups/store.ts'

/** What the database knew when it was asked. */
interface Found { flavor: flavors.Flavor, key?: KeypairRow, limits: Limits, group?: groups.ServerGroup }

export const createServer = operation({
  name: 'createServer', method: 'POST', path: '/servers', summary: 'Create one server or several.', access: policy.create, status: 202, body: createBody,
  faults: ['conflict', 'overQuota'],
  async handle(ctx, { body, version, urls }, deps) {
    const { server: s } = body, projectId = ctx.actor.projectId
    if (projectId === undefined) throw forbidden('A server belongs to a project: a token that is scoped to one is required.')
    const min = asNumber('min_count', s.min_count ?? 1, 1), max = asNumber('max_count', s.max_count ?? min, 1)
    if (min > max) throw badRequest('min_count must be <= max_count')
    if (s.hostname !== undefined && max > 1) throw badRequest('Unable to allocate a single hostname to multiple instances')
    if (s.trusted_image_certificates) throw badRequest('Image signature certificate validation failed: this cloud holds no certificates to trust.')
    if (s.user_data !== undefined) checkBase64('User data', s.user_data)
    const place = placeOf(ctx, s), imageId = bootImage(s), hints = body['os:scheduler_hints'] ?? body['OS-SCH-HNT:scheduler_hints'] ?? {}

    const found = await ctx.span('compute.read-database', () => deps.store.read((tx) => look(tx, ctx, s, place, hints)))
    if (found.limits.metadata_items >= 0 && Object.keys(s.metadata ?? {}).length > found.limits.metadata_items) throw overQuota(`Maximum number of metadata items exceeds ${found.limits.metadata_items}`)
    const files = checkPersonality(s.personality ?? [], found.limits)
    const asked = (s.security_groups ?? []).flatMap((g) => g.name ?? [])
    const [image, nics, groupIds] = await Promise.all([
      imageOf(ctx, deps.image, imageId), planNics(ctx, deps.network, s.networks as 'auto' | 'none' | AskedNetwork[] | undefined, max), securityGroupIds(ctx, deps.network, asked),
    ])
    checkFit(ctx, image, found.flavor)

    const adminPassword = s.adminPass ?? newSecret(9), most = mostOf(found.limits), made = rowsOf(ctx, s, version.since('2.19'), found, imageId, Math.min(max, most), asked)
    const rows = await ctx.span('compute.write-server', () => deps.store.tx(async (tx) => {
      const count = await takeServers(tx, { projectId, userId: ctx.actor.userId }, found.flavor, min, Math.max(min, made.length))
      if (count > made.length) throw badRequest(`At most ${most} servers are made by one request.`)
      const chosen = made.slice(0, count)
      // Tokens of a transaction that runs again must not count twice: everything below depends on `made` only.
      const first = await nextNumber(tx, 'servers', count)
      chosen.forEach((row, i) => { row.number = first + i; named(row, s, i, count) })
      if (found.group) await groups.makeRoom(tx, found.group.id, count, found.limits.server_group_members)
      await servers.add(tx, chosen.map((row) => ({ row, metadata: s.metadata ?? {}, tags: [...new Set(s.tags ?? [])], userData: s.user_data, files, groupId: found.group?.id })))
      for (const [i, row] of chosen.entries()) {
        await actions.begin(tx, ctx, row.id, 'create')
        const { group: _group, ...otherHints } = hints
        await deps.lifecycle.build(tx, ctx, {
          serverId: row.id, projectId, userId: ctx.actor.userId, flavor: flavors.snapshot(found.flavor), imageId, nics: i === 0 ? nics : nics.map(again),
          securityGroupIds: groupIds, ...(s.key_name !== undefined && { keyName: s.key_name }), ...place, ...(found.group && { group: groups.planned(found.group) }), schedulerHints: otherHints,
          configDrive: row.configDrive === 1, secrets: { adminPassword, ...(s.user_data !== undefined && { userData: s.user_data }) },
        })
      }
      return chosen
    }))
    for (const row of rows) deps.tracer.bind(ctx, row.id)
    if (isTrue(s.return_reservation_id)) return new Reply({ status: 202, body: { reservation_id: rows[0]!.reservationId } })
    return created(urls, rows[0]!, s, adminPassword)
  },
})

/** However many are asked for: no more records are prepared than the quota could let through, nor than one transaction bears. */
const mostOf = ({ instances }: Limits): number => (instances < 0 ? 1000 : Math.min(instances, 1000))

function created(urls: Urls, row: ServerRow, s: ServerRequest, adminPass: string): Reply {
  const links = linksOf(urls, 'servers')(row.id)
  return new Reply({
    status: 202, headers: { location: links[0]!.href },
    body: { server: { id: row.id, links, 'OS-DCF:diskConfig': row.diskConfig, security_groups: s.security_groups ?? [{ name: 'default' }], adminPass } },
  })
}

/** Each server of several has ports of its own. */
const again = (nic: PlannedNic): PlannedNic => ({ ...nic, portId: newId() })

type Place = Pick<BuildPlan, 'availabilityZone' | 'host' | 'hypervisorHostname' | 'forced'>

/** Where it is to go: a zone; for administrators a host, asked for (2.74, the filters still decide) or forced. */
function placeOf(ctx: Context, s: ServerRequest): Place {
  const { zone, host, node } = parseZone(s.availability_zone)
  const refused = (what: string): Error => forbidden(`Policy doesn't allow os_compute_api:servers:${what} to be performed.`)
  if ((host || node) && !policy.chooseHost.allows(ctx.actor)) throw refused('create:forced_host')
  if ((s.host || s.hypervisor_hostname) && !policy.chooseHost.allows(ctx.actor)) throw refused('create:requested_destination')
  if ((s.host || s.hypervisor_hostname) && (host || node)) throw badRequest('One mechanism with host and/or hypervisor_hostname and another mechanism with zone:host:node are mutually exclusive.')
  const chosenHost = host ?? s.host, chosenNode = node ?? s.hypervisor_hostname
  return {
    ...(zone !== undefined && { availabilityZone: zone }), ...(chosenHost !== undefined && { host: chosenHost }), ...(chosenNode !== undefined && { hypervisorHostname: chosenNode }),
    ...((host || node) && { forced: true }),
  }
}

async function look(tx: ComputeTx, ctx: Context, s: ServerRequest, place: Place, hints: Record<string, unknown>): Promise<Found> {
  const { actor } = ctx, flavorId = String(s.flavorRef)
  const flavor = await flavors.findUsable(tx, flavorId, actor.projectId, policy.allFilters.allows(actor))
  if (!flavor || flavor.disabled === 1) throw badRequest(`Flavor ${flavorId.slice(0, 60)} could not be found.`)
  const key = s.key_name === undefined ? undefined : await keypairs.find(tx, actor.userId, s.key_name)
  if (s.key_name !== undefined && !key) throw badRequest('Invalid key_name provided.')
  const groupId = [hints.group].flat()[0] as string | undefined
  const group = groupId === undefined ? undefined : await groups.find(tx, groupId)
  if (groupId !== undefined && (!group || group.projectId !== actor.projectId)) throw badRequest(`Instance group ${groupId} could not be found.`)
  await checkPlace(tx, place)
  return { flavor, key, limits: await limitsOf(tx, actor.projectId!), group }
}

async function checkPlace(tx: ComputeTx, { availabilityZone, host, hypervisorHostname }: Place): Promise<void> {
  for (const name of [host, hypervisorHostname]) if (name !== undefined && !await hostExists(tx, name)) throw badRequest(`Compute host ${name} could not be found.`)
  if (availabilityZone === undefined || host !== undefined) return
  const zones = await zonesOfHosts(tx)
  const open = (await computeServices(tx)).some((service) => service.disabled === 0 && isUp(service) && (zones.get(service.host) ?? defaultZone) === availabilityZone)
  if (!open) throw badRequest('The requested availability zone is not available')
}

/** The servers' rows, ids minted; how many of them come to be, the quota says later. */
function rowsOf(ctx: Context, s: ServerRequest, described: boolean, { flavor, key }: Found, imageId: string, count: number, securityGroups: string[]): ServerRow[] {
  const at = now(), reservationId = `r-${newId().slice(0, 8)}`
  const zone = parseZone(s.availability_zone).zone ?? null
  return Array.from({ length: count }, (_x, launchIndex): ServerRow => ({
    id: newId(), number: 0, projectId: ctx.actor.projectId!, userId: ctx.actor.userId, name: s.name, hostname: '', description: described ? s.description ?? null : s.name,
    imageId, keyName: s.key_name ?? null, keyData: key?.publicKey ?? null, flavorId: flavor.id, flavor: JSON.stringify(flavors.snapshot(flavor)), vcpus: flavor.vcpus, memoryMib: flavor.memoryMib,
    reservationId, launchIndex, vmState: 'building', taskState: 'scheduling', progress: 0, generation: 0, host: null, node: null, requestedAz: zone,
    configDrive: isTrue(s.config_drive) ? 1 : 0, lockedBy: null, lockedReason: null, accessIpV4: s.accessIPv4 ?? null, accessIpV6: s.accessIPv6 === undefined ? null : canonicalIpV6(s.accessIPv6), diskConfig: s['OS-DCF:diskConfig'] as 'AUTO' | 'MANUAL' | undefined ?? 'MANUAL',
    rootDeviceName: '/dev/vda', securityGroups: JSON.stringify(securityGroups.length > 0 ? securityGroups : ['default']), createdAt: at, updatedAt: at, launchedAt: null, terminatedAt: null, deletedAt: null,
  }))
}

/** Several servers of one request are numbered from 1. */
function named(row: ServerRow, s: ServerRequest, i: number, count: number): void {
  row.name = count > 1 ? `${s.name}-${i + 1}` : s.name
  row.hostname = (s.hostname as string | undefined) ?? (hostnameOf(row.name) || `server-${row.id}`)
}
