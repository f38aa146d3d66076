// https://docs.openstack.org/api-ref/compute/#availability-zones-os-availability-zone
import { microsNoZone } from '#base/time.ts'
import { operation } from '../deps.ts'
import { isUp } from '../hosts/store.ts'
import { admin, authenticated } from '../policy.ts'
import { allServices } from '../compute-services/store.ts'
import { defaultZone, internalZone, zonesOfHosts } from './store.ts'

export const listAvailabilityZones = operation({
  name: 'listAvailabilityZones', method: 'GET', path: '/os-availability-zone', summary: 'List availability zones.', access: authenticated,
  async handle(_ctx, _input, { store }) {
    const { services, zones } = await store.read(async (tx) => ({ services: await allServices(tx), zones: await zonesOfHosts(tx) }))
    const available = new Map<string, boolean>()
    // As in nova a zone is there as long as one of its hosts is not switched off.
    for (const s of services) if (s.binary === 'nova-compute') {
      const zone = zones.get(s.host) ?? defaultZone
      available.set(zone, available.get(zone) === true || s.disabled === 0)
    }
    const of = (state: boolean): object[] => [...available].filter(([, open]) => open === state).map(([zoneName]) => ({ zoneName, zoneState: { available: state }, hosts: null }))
    return { availabilityZoneInfo: [...of(true), ...of(false)] }
  },
})

export const listAvailabilityZonesDetailed = operation({
  name: 'listAvailabilityZonesDetailed', method: 'GET', path: '/os-availability-zone/detail', summary: 'List availability zones with their hosts.', access: admin,
  async handle(_ctx, _input, { store }) {
    const { services, zones } = await store.read(async (tx) => ({ services: await allServices(tx), zones: await zonesOfHosts(tx) }))
    const hosts = new Map<string, Record<string, Record<string, object>>>(), closed = new Set<string>()
    for (const s of services) {
      const zone = s.binary === 'nova-compute' ? zones.get(s.host) ?? defaultZone : internalZone
      if (s.disabled === 1) { closed.add(zone); continue }
      const inZone = hosts.get(zone) ?? {}
      inZone[s.host] = { ...inZone[s.host], [s.binary]: { available: isUp(s), active: true, updated_at: microsNoZone(s.reportedAt) } }
      hosts.set(zone, inZone)
    }
    return { availabilityZoneInfo: [
      ...[...hosts].map(([zoneName, inZone]) => ({ zoneName, zoneState: { available: true }, hosts: inZone })),
      ...[...closed].filter((zone) => !hosts.has(zone)).map((zoneName) => ({ zoneName, zoneState: { available: false }, hosts: null })),
    ] }
  },
})
