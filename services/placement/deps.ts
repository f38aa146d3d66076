// What placement's handlers are handed.
import { operationsOf } from '#kit/http/operation.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import { openWorld, type World } from './candidates/world.ts'
import type { PlacementTables } from './schema.ts'

/** What placement's handlers are handed. */
export interface Deps { store: Store<PlacementTables>, world: World }
export type PlacementTx = Tx<PlacementTables>
export const operation = operationsOf<Deps>()
export const placementDeps = (store: Store<PlacementTables>): Deps => ({ store, world: openWorld(store) })
