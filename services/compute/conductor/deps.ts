// What the conductor's sagas and handlers are handed.
import type { Log } from '#base/context.ts'
import type { Bus } from '#kit/bus/bus.ts'
import type { ServiceClient } from '#kit/http/client.ts'
import type { Store } from '#kit/store/store.ts'
import type { ComputeTables } from '../schema.ts'
import type { Commands } from './commands.ts'

export interface ConductorDeps {
  store: Store<ComputeTables>
  bus: Bus
  network: ServiceClient
  placement: ServiceClient
  commands: Commands
  log: Log
}
