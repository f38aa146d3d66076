// A flavor's extra specs: what it asks of its host. https://docs.openstack.org/api-ref/compute/#list-extra-specs-for-a-flavor
import { badRequest, notFound } from '#base/errors.ts'
import { exact, Type } from '#kit/http/schema.ts'
import type { Version } from '#kit/http/operation.ts'
import { operation } from '../deps.ts'
import { flavorTarget } from './api.ts'
import * as policy from './policy.ts'
import * as flavors from './store.ts'

const specs = Type.Unsafe<Record<string, string | number>>({ type: 'object', patternProperties: { '^[a-zA-Z0-9_:. -]{1,255}$': { type: ['string', 'number'], maxLength: 255 } }, additionalProperties: false })
const oneSpec = Type.Unsafe<Record<string, string | number>>({ type: 'object', minProperties: 1, maxProperties: 1, patternProperties: { '^[a-zA-Z0-9_:. -]{1,255}$': { type: ['string', 'number'], maxLength: 255 } }, additionalProperties: false })

/** Names in these families are fixed; what is honoured here is listed, anything else in them is refused from 2.86 on. */
const families = /^(accel|hw|hw_rng|hw_video|os|powervm|quota|pci_passthrough|resources\d*|trait\d*|vmware)$/
const known: [pattern: RegExp, value: RegExp][] = [
  [/^trait\d*:(CUSTOM_)?[A-Z0-9_]+$/, /^(required|forbidden)$/],
  [/^resources\d*:(CUSTOM_)?[A-Z0-9_]+$/, /^\d+$/],
  [/^hw:(cpu_policy|cpu_thread_policy|mem_page_size|cpu_realtime|cpu_sockets|cpu_cores|cpu_threads|cpu_max_sockets|cpu_max_cores|cpu_max_threads|numa_nodes|boot_menu|mem_encryption|watchdog_action|serial_port_count|pmu|emulator_threads_policy|pci_numa_affinity_policy|tpm_version|tpm_model|hide_hypervisor_id|vif_multiqueue_enabled|locked_memory|viommu_model|maxphysaddr_mode|maxphysaddr_bits)$/, /^.+$/],
  [/^hw:(numa_cpus|numa_mem)\.\d+$/, /^.+$/],
  [/^hw:(cpu_realtime_mask|cpu_dedicated_mask)$/, /^.+$/],
  [/^hw_rng:(allowed|rate_bytes|rate_period)$/, /^.+$/],
  [/^hw_video:(ram_max_mb)$/, /^\d+$/],
  [/^quota:(cpu_shares|cpu_period|cpu_quota|disk_read_bytes_sec|disk_read_iops_sec|disk_write_bytes_sec|disk_write_iops_sec|disk_total_bytes_sec|disk_total_iops_sec|vif_inbound_average|vif_inbound_burst|vif_inbound_peak|vif_outbound_average|vif_outbound_burst|vif_outbound_peak)$/, /^-?\d+$/],
  [/^os:secure_boot$/, /^(required|disabled|optional)$/],
  [/^pci_passthrough:alias$/, /^.+$/],
  [/^accel:device_profile$/, /^.+$/],
  [/^vmware:[a-z_]+$/, /^.*$/], [/^powervm:[a-z_]+$/, /^.*$/],
]

function checked(given: Record<string, string | number>, version: Version): Record<string, string> {
  const out: [string, string][] = []
  for (const [key, raw] of Object.entries(given)) {
    const value = String(raw)
    if (value.length > 255) throw badRequest('extra_specs value has more than 255 characters.')
    if (version.since('2.86') && key.includes(':') && families.test(key.slice(0, key.indexOf(':')))) {
      const entry = known.find(([pattern]) => pattern.test(key))
      if (!entry) throw badRequest(`Validation failed; extra spec '${key}' does not appear to be a valid extra spec.`)
      if (!entry[1].test(value)) throw badRequest(`Validation failed; '${value}' is not a valid value for extra spec '${key}'.`)
    }
    out.push([key, value])
  }
  return Object.fromEntries(out)
}

const noSpec = (flavorId: string, key: string): Error => notFound(`Flavor ${flavorId} has no extra specs with key ${key}.`)

export const listExtraSpecs = operation({
  name: 'listExtraSpecs', method: 'GET', path: '/flavors/{flavor_id}/os-extra_specs', summary: 'List a flavor\'s extra specs.', access: policy.showExtraSpecs, target: flavorTarget,
  handle: async (_ctx, { target }) => ({ extra_specs: target.extraSpecs }),
})

export const showExtraSpec = operation({
  name: 'showExtraSpec', method: 'GET', path: '/flavors/{flavor_id}/os-extra_specs/{key}', summary: 'Show one extra spec.', access: policy.showExtraSpecs, target: flavorTarget,
  async handle(_ctx, { target, params }) {
    const key = params.key!
    if (!Object.hasOwn(target.extraSpecs, key)) throw noSpec(target.id, key)
    return { [key]: target.extraSpecs[key] }
  },
})

export const createExtraSpecs = operation({
  name: 'createExtraSpecs', method: 'POST', path: '/flavors/{flavor_id}/os-extra_specs', summary: 'Add extra specs to a flavor.', access: policy.change, target: flavorTarget, body: exact({ extra_specs: specs }), status: 200,
  async handle(_ctx, { target, body, version }, { store }) {
    const given = checked(body.extra_specs, version)
    await store.tx((tx) => flavors.setSpecs(tx, target.id, given))
    return body
  },
})

export const updateExtraSpec = operation({
  name: 'updateExtraSpec', method: 'PUT', path: '/flavors/{flavor_id}/os-extra_specs/{key}', summary: 'Change one extra spec.', access: policy.change, target: flavorTarget, body: oneSpec,
  async handle(_ctx, { target, params, body, version }, { store }) {
    const given = checked(body, version)
    if (!Object.hasOwn(body, params.key!)) throw badRequest('Request body and URI mismatch')
    await store.tx((tx) => flavors.setSpecs(tx, target.id, given))
    return body
  },
})

export const deleteExtraSpec = operation({
  name: 'deleteExtraSpec', method: 'DELETE', path: '/flavors/{flavor_id}/os-extra_specs/{key}', summary: 'Take an extra spec away.', access: policy.change, target: flavorTarget, status: 200,
  async handle(_ctx, { target, params }, { store }) {
    if (!await store.tx((tx) => flavors.removeSpec(tx, target.id, params.key!))) throw noSpec(target.id, params.key!)
  },
})
