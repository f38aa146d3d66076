// https://docs.openstack.org/api-ref/compute/#hypervisors-os-hypervisors
import type { Version } from '#kit/http/operation.ts'
import { isUp } from '../hosts/store.ts'
import type { Hypervisor } from './store.ts'

/** As `uptime` says it; null when the host did not tell. */
export function uptimeOf(bootedAt: string | null, at = Date.now()): string | null {
  if (bootedAt === null) return null
  const minutes = Math.max(0, Math.floor((at - Date.parse(bootedAt)) / 60_000)), days = Math.floor(minutes / 1440)
  return ` ${new Date(at).toISOString().slice(11, 19)} up ${days > 0 ? `${days} day${days > 1 ? 's' : ''}, ` : ''}${Math.floor(minutes / 60) % 24}:${String(minutes % 60).padStart(2, '0')}`
}

export const figures = (h: Hypervisor): Record<string, number> => ({
  vcpus: h.vcpus, vcpus_used: h.used.vcpus, memory_mb: h.memoryMib, memory_mb_used: h.used.memoryMib, free_ram_mb: h.memoryMib - h.used.memoryMib,
  local_gb: h.diskGib, local_gb_used: h.used.diskGib, free_disk_gb: h.diskGib - h.used.diskGib, disk_available_least: h.diskGib - h.used.diskGib, current_workload: 0, running_vms: h.used.servers,
})

export function hypervisorView(version: Version, detailed: boolean, servers?: Map<string, { name: string, uuid: string }[]>): (h: Hypervisor) => Record<string, unknown> {
  const byUuid = version.since('2.53'), bare = version.since('2.88'), parsed = version.since('2.28'), always = version.since('2.75')
  return (h) => {
    const view: Record<string, unknown> = { id: byUuid ? h.id : h.number, hypervisor_hostname: h.host, state: isUp(h.service) ? 'up' : 'down', status: h.service.disabled === 1 ? 'disabled' : 'enabled' }
    if (detailed) {
      Object.assign(view, { hypervisor_type: h.hypervisorType, hypervisor_version: h.hypervisorVersion, host_ip: h.hostIp, service: { id: byUuid ? h.service.id : h.service.number, host: h.host, disabled_reason: h.service.disabledReason } })
      if (bare) view.uptime = uptimeOf(h.bootedAt)
      else Object.assign(view, figures(h), { cpu_info: parsed ? JSON.parse(h.cpuInfo) as object : h.cpuInfo })
    }
    const hosted = servers?.get(h.host)
    if (hosted || (servers && always)) view.servers = hosted ?? []
    return view
  }
}
