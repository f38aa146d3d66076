// What placement's handlers are handed.
import { operationsOf } from '#kit/http/operation.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import type { PlacementTables } from './schema.ts'

export interface Deps { store: Store<PlacementTables> }
export type PlacementTx = Tx<PlacementTables>
export const operation = operationsOf<Deps>()
