// Placement's tables as code sees them.
export interface PlacementTables {
  placementProviders: ProviderRow
  placementInventories: InventoryRow
  placementTraits: { providerId: string, trait: string }
  placementAllocations: AllocationRow
  placementConsumers: ConsumerRow
}
export interface ProviderRow { id: string, name: string, generation: number, parentId: string | null, rootId: string, createdAt: string, updatedAt: string }
/** `used` is the sum of the allocations, changed by compare-and-set in the same transaction: the guard of capacity. */
export interface InventoryRow {
  providerId: string, resourceClass: string, total: number, reserved: number, minUnit: number, maxUnit: number, stepSize: number, allocationRatio: number, used: number
}
export interface AllocationRow { consumerId: string, providerId: string, resourceClass: string, used: number }
export interface ConsumerRow { id: string, generation: number, projectId: string, userId: string, createdAt: string, updatedAt: string }
