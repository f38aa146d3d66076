// https://docs.openstack.org/api-ref/compute/#compute-services-os-services
import { microsNoZone } from '#base/time.ts'
import type { Version } from '#kit/http/operation.ts'
import { defaultZone, internalZone } from '../availability-zones/store.ts'
import { isUp } from '../hosts/store.ts'
import type { ServiceRow } from '../schema.ts'

export const serviceView = (version: Version, zones: Map<string, string>): (s: ServiceRow) => object => {
  const forced = version.since('2.11'), byUuid = version.since('2.53')
  return (s) => ({
    id: byUuid ? s.id : s.number, binary: s.binary, host: s.host, zone: s.binary === 'nova-compute' ? zones.get(s.host) ?? defaultZone : internalZone,
    status: s.disabled === 1 ? 'disabled' : 'enabled', state: isUp(s) ? 'up' : 'down', updated_at: microsNoZone(s.reportedAt), disabled_reason: s.disabledReason, ...(forced && { forced_down: s.forcedDown === 1 }),
  })
}
