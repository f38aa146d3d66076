// What identity's handlers are handed.
import { operationsOf } from '#kit/http/operation.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import type { IdentityTables } from './schema.ts'

export interface Deps {
  store: Store<IdentityTables>
}
export type IdentityTx = Tx<IdentityTables>
export const operation = operationsOf<Deps>()
