// Placement's tables as code sees them.
export interface PlacementTables {
  placementProviders: ProviderRow
  placementInventories: InventoryRow
  placementTraits: { providerId: string, trait: string }
  placementAggregates: { aggregateId: string, providerId: string }
  placementCustomNames: CustomNameRow
  placementAllocations: AllocationRow
  placementConsumers: ConsumerRow
}
/** `stamp` grows with every change of the provider, of what it has and of what is used of it: who remembers providers sees by it which to read again. */
export interface ProviderRow {
  id: string, name: string, generation: number, parentId: string | null, rootId: string, stamp: number, createdAt: string, updatedAt: string
}
/** `used` is the sum of the allocations, written in the transaction that writes them, while the provider is held: the guard of capacity. */
export interface InventoryRow {
  providerId: string, resourceClass: string, total: number, reserved: number, minUnit: number, maxUnit: number, stepSize: number, allocationRatio: number, used: number
}
/** CUSTOM_… traits and resource classes. `uses` only counts who took hold of the name, so that it cannot vanish meanwhile. */
export interface CustomNameRow { kind: 'trait' | 'resourceClass', name: string, uses: number, createdAt: string }
export interface AllocationRow { consumerId: string, providerId: string, resourceClass: string, used: number }
/** A consumer without a type came by a version that knew none. */
export interface ConsumerRow { id: string, generation: number, projectId: string, userId: string, consumerType: string | null, createdAt: string, updatedAt: string }
