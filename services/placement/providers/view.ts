import type { InventoryRow, ProviderRow } from '../schema.ts'

/** https://docs.openstack.org/api-ref/placement/#show-resource-provider (1.0) */
export const providerView = (row: ProviderRow): object => ({
  uuid: row.id, name: row.name, generation: row.generation,
  links: [{ rel: 'self', href: `/placement/resource_providers/${row.id}` }, ...['inventories', 'usages'].map((rel) => ({ rel, href: `/placement/resource_providers/${row.id}/${rel}` }))],
})

export const inventoryView = (provider: ProviderRow, rows: InventoryRow[]): object => ({
  resource_provider_generation: provider.generation,
  inventories: Object.fromEntries(rows.map((r) => [r.resourceClass, {
    total: r.total, reserved: r.reserved, min_unit: r.minUnit, max_unit: r.maxUnit, step_size: r.stepSize, allocation_ratio: r.allocationRatio,
  }])),
})
