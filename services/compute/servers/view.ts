// How servers look at each version. A view is chosen once a request; a row costs no schema walk and no query.
// https://docs.openstack.org/api-ref/compute/#servers-servers
import { createHash } from 'node:crypto'
import { microsNoZone, seconds } from '#base/time.ts'
import type { Actor } from '#base/context.ts'
import type { Urls, Version } from '#kit/http/operation.ts'
import { defaultZone } from '../availability-zones/store.ts'
import type { HostView } from '../hosts/store.ts'
import { bookmarkBase, linksOf } from '../links.ts'
import { admin } from '../policy.ts'
import type { FlavorSnapshot } from '../schema.ts'
import { addressesOf } from './addresses.ts'
import { instanceName } from './instance-name.ts'
import type { DescribedPort } from './networks.ts'
import * as policy from './policy.ts'
import { powerStateOf, showsFault, showsProgress, statusOf, vmStateOf } from './state.ts'
import type { Details, Server } from './store.ts'

/** What a page of servers is shown with. */
export interface Around { details: Details, ports: Map<string, DescribedPort[]>, hosts: HostView, /** Of a single server, from 2.71 on. */ groups?: string[] }

export const serverBrief = (urls: Urls): (s: Server) => object => {
  const links = linksOf(urls, 'servers')
  return (s) => ({ id: s.id, name: s.name, links: links(s.id) })
}

const instant = (at: string | null): string | null => at && microsNoZone(at)

/** Which host a server is on, told apart but not named. */
export const hostIdOf = (host: string | null, projectId: string): string => (host === null ? '' : createHash('sha224').update(projectId + host).digest('hex'))

export const zoneOf = (s: Pick<Server, 'host' | 'requestedAz'>, zones: Map<string, string>): string => (s.host === null ? s.requestedAz ?? '' : zones.get(s.host) ?? defaultZone)

export const groupNames = (ports: DescribedPort[]): { name: string }[] => ports.flatMap((p) => p.security_groups.map((g) => ({ name: g.name })))

/** `reduced`: what answered PUT before 2.75. */
export function serverView(actor: Actor, version: Version, urls: Urls, around: Around, reduced = false): (s: Server) => object {
  const links = linksOf(urls, 'servers'), bookmarks = bookmarkBase(urls), { details, ports, hosts } = around
  const isAdmin = admin.allows(actor), seesHost = policy.seeHost.allows(actor) && !reduced, seesSpecs = policy.seeFlavorSpecs.allows(actor)
  const v3 = version.since('2.3'), v9 = version.since('2.9'), v16 = version.since('2.16') && seesHost, v19 = version.since('2.19'), v26 = version.since('2.26'), v47 = version.since('2.47')
  const v63 = version.since('2.63'), v71 = version.since('2.71') && around.groups !== undefined, v73 = version.since('2.73'), v90 = version.since('2.90'), v96 = version.since('2.96')
  // Servers of one flavor carry the same text, servers of one host and project the same hash.
  const flavors = new Map<string, object>(), hostIds = new Map<string, string>()
  const flavorOf = (s: Server): object => {
    let view = flavors.get(s.flavor)
    if (view === undefined) {
      const f = JSON.parse(s.flavor) as FlavorSnapshot
      flavors.set(s.flavor, view = v47
        ? { vcpus: f.vcpus, ram: f.memoryMib, disk: f.diskGib, ephemeral: f.ephemeralGib, swap: f.swapMib, original_name: f.name, ...(seesSpecs && { extra_specs: f.extraSpecs }) }
        : { id: f.id, links: [{ rel: 'bookmark', href: `${bookmarks}/flavors/${f.id}` }] })
    }
    return view
  }
  const hostId = (s: Server): string => {
    if (s.host === null) return ''
    const key = `${s.projectId}/${s.host}`
    let id = hostIds.get(key)
    if (id === undefined) hostIds.set(key, id = hostIdOf(s.host, s.projectId))
    return id
  }
  return (s) => {
    const vm = s.deletedAt !== null ? 'deleted' : vmStateOf(s, s.power), status = statusOf(vm, s.taskState), cards = ports.get(s.id) ?? []
    const view: Record<string, unknown> = {
      id: s.id, name: s.name, status, tenant_id: s.projectId, user_id: s.userId, metadata: details.metadata.get(s.id) ?? {}, hostId: hostId(s),
      image: s.imageId === null ? '' : { id: s.imageId, links: [{ rel: 'bookmark', href: `${bookmarks}/images/${s.imageId}` }] },
      flavor: flavorOf(s), created: seconds(s.createdAt), updated: seconds(s.updatedAt), addresses: s.vmState === 'building' ? {} : addressesOf(cards, !reduced),
      accessIPv4: s.accessIpV4 ?? '', accessIPv6: s.accessIpV6 ?? '', links: links(s.id), 'OS-DCF:diskConfig': s.diskConfig,
    }
    if (showsProgress(status)) view.progress = s.progress
    if (showsFault(status)) {
      const fault = details.faults.get(s.id)
      if (fault) view.fault = { code: fault.code, created: seconds(fault.createdAt), message: fault.message, ...(fault.details !== null && (isAdmin || fault.code !== 500) && { details: fault.details }) }
    }
    if (!reduced) {
      view['OS-EXT-AZ:availability_zone'] = zoneOf(s, hosts.zones)
      view.config_drive = s.configDrive === 1 ? 'True' : ''
      view.key_name = s.keyName
      view['OS-SRV-USG:launched_at'] = instant(s.launchedAt)
      view['OS-SRV-USG:terminated_at'] = instant(s.terminatedAt)
      const groups = cards.length > 0 ? groupNames(cards) : s.vmState === 'building' ? (JSON.parse(s.securityGroups) as string[]).map((name) => ({ name })) : []
      if (groups.length > 0) view.security_groups = groups
      view['OS-EXT-STS:task_state'] = s.taskState
      view['OS-EXT-STS:vm_state'] = vm
      view['OS-EXT-STS:power_state'] = powerStateOf(s, s.power)
      view['os-extended-volumes:volumes_attached'] = []
      if (v96) view.pinned_availability_zone = s.requestedAz
    }
    if (seesHost) {
      view['OS-EXT-SRV-ATTR:host'] = s.host
      view['OS-EXT-SRV-ATTR:instance_name'] = instanceName(s)
      view['OS-EXT-SRV-ATTR:hypervisor_hostname'] = s.node
      if (v3) Object.assign(view, {
        'OS-EXT-SRV-ATTR:hostname': s.hostname, 'OS-EXT-SRV-ATTR:kernel_id': '', 'OS-EXT-SRV-ATTR:ramdisk_id': '', 'OS-EXT-SRV-ATTR:launch_index': s.launchIndex,
        'OS-EXT-SRV-ATTR:reservation_id': s.reservationId, 'OS-EXT-SRV-ATTR:root_device_name': s.rootDeviceName, 'OS-EXT-SRV-ATTR:user_data': details.userData.get(s.id) ?? null,
      })
    } else if (v90) {
      view['OS-EXT-SRV-ATTR:hostname'] = s.hostname
    }
    if (v9) view.locked = s.lockedBy !== null
    if (v16) view.host_status = s.host === null ? '' : hosts.statuses.get(s.host) ?? 'UNKNOWN'
    if (v19) view.description = s.description
    if (v26) view.tags = details.tags.get(s.id) ?? []
    if (v63) view.trusted_image_certificates = null
    if (v71) view.server_groups = around.groups
    if (v73) view.locked_reason = s.lockedReason
    return view
  }
}
