// What compute's handlers are handed, and what is asked of the other services.
import type { ServiceClient } from '#kit/http/client.ts'
import { operationsOf } from '#kit/http/operation.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import type { Tracer } from '#kit/trace/tracer.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { ComputeTables } from './schema.ts'

export interface Deps {
  store: Store<ComputeTables>
  /** glance: `showImage` {image_id} as the user. */
  image: ServiceClient
  /** neutron, as the user: `listNetworks`, `showPort`, `listSecurityGroups`; internal: `describePorts`. Shapes in servers/networks.ts. */
  network: ServiceClient
  lifecycle: Lifecycle
  tracer: Pick<Tracer, 'bind' | 'flush'>
}
export type ComputeTx = Tx<ComputeTables>
export const operation = operationsOf<Deps>()
