// An inventory on the wire and as a row.
import { badRequest } from '#base/errors.ts'
import type { Version } from '#kit/http/operation.ts'
import { exact, Type, type Static } from '#kit/http/schema.ts'
import { className, maxInt } from '../fields.ts'
import type { InventoryRow } from '../schema.ts'

const amount = Type.Integer({ minimum: 1, maximum: maxInt })
/** The fields of an inventory. */
export const fields = {
  total: amount, reserved: Type.Optional(Type.Integer({ minimum: 0, maximum: maxInt })), min_unit: Type.Optional(amount),
  max_unit: Type.Optional(amount), step_size: Type.Optional(amount),
  allocation_ratio: Type.Optional(Type.Number({ maximum: 3.40282e38 })),
}
// A generation inside is taken, as it always was, and not looked at.
const one = exact({ ...fields, resource_provider_generation: Type.Optional(Type.Integer()) })
export const inventoriesField = Type.Record(Type.String(className), one, { additionalProperties: false, maxProperties: 1000 })
export const wholeBody = exact({ resource_provider_generation: Type.Integer(), inventories: inventoriesField })

/** What there is of a resource class, without whose and how much is used. */
export type Inventory = Omit<InventoryRow, 'providerId' | 'used'>
/** A body's inventory with the original's defaults. */
export const rowOf = (resourceClass: string, i: Omit<Static<typeof one>, 'resource_provider_generation'>): Inventory => ({
  resourceClass, total: i.total, reserved: i.reserved ?? 0, minUnit: i.min_unit ?? 1, maxUnit: i.max_unit ?? maxInt,
  stepSize: i.step_size ?? 1, allocationRatio: i.allocation_ratio ?? 1,
})
export const rowsOf = (inventories: Static<typeof inventoriesField>): Inventory[] => Object.entries(inventories).map(([resourceClass, i]) => rowOf(resourceClass, i))

type Sized = Pick<InventoryRow, 'total' | 'reserved' | 'allocationRatio'>
/** What may be in use at once. */
export const capacityOf = (i: Sized): number => Math.trunc((i.total - i.reserved) * i.allocationRatio)

/** Everything reserved is allowed from 1.26 on. */
export function mustHold(version: Version, providerId: string, doing: string, rows: Inventory[]): void {
  const all = version.since('1.26')
  for (const row of rows) {
    if (all ? capacityOf(row) >= 0 : capacityOf(row) > 0) continue
    const why = `Invalid inventory for '${row.resourceClass}' on resource provider '${providerId}'. The reserved value is greater than ${all ? '' : 'or equal to '}total.`
    throw badRequest(`Unable to ${doing} inventory for resource provider ${providerId}: ${why}`)
  }
}

export const inventoryView = (r: Inventory): object =>
  ({ total: r.total, reserved: r.reserved, min_unit: r.minUnit, max_unit: r.maxUnit, step_size: r.stepSize, allocation_ratio: r.allocationRatio })
export const inventoriesView = (generation: number, rows: Inventory[]): object =>
  ({ resource_provider_generation: generation, inventories: Object.fromEntries(rows.map((r) => [r.resourceClass, inventoryView(r)])) })
