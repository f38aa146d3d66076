// What a runner is made with.
import type { Actor, Context, Log } from '#base/context.ts'
import type { Backoff } from '#base/retry.ts'
import type { Store } from '#kit/store/store.ts'
import type { Clock } from './clock.ts'
import type { Probe } from './probe.ts'
import type { Saga } from './saga.ts'
import type { SagaInfo } from './view.ts'

export interface RunnerOptions<Deps = any> {
  store: Store
  /** Every saga this runner can run. Others in the journal are left to runners that know them. */
  sagas: Saga<any, Deps, any>[]
  /** What a saga is handed, by its name; asked anew for each run. */
  deps: (saga: string) => Deps
  /** The place this runner works at, such as the host's name. Of a former runner at the same place it takes everything over at once. */
  owner: string
  /** Nobody else runs sagas on this database (an embedded one): whatever was left is taken over at once. */
  soleOwner?: boolean
  /** Sagas started here are run by runners elsewhere. */
  passive?: boolean
  /** How long a silent runner keeps its sagas. */
  leaseMs?: number
  /** How often to look for abandoned sagas. */
  scanMs?: number
  /** Patience with a failing undo; then the saga is stuck. */
  undoBackoff?: Backoff
  /** Pauses between tries of a step past the pivot, which never end. */
  retryBackoff?: Pick<Backoff, 'firstMs' | 'maxMs'>
  /** Set on the actor: the service in whose name steps act for the user. */
  service?: string
  /** The observers of a saga's steps; the actor is the saga's. */
  contextFor?: (saga: { id: string, name: string, resourceId: string, actor: Actor, requestId: string, traceId: string }) => Context
  log?: Log
  /** 32 bytes that seal secrets in the journal. */
  sealKey?: Uint8Array
  clock?: Clock
  /** Told of every saga that gets stuck, for alarms. */
  onStuck?: (saga: SagaInfo) => void
  /** Tests only. */
  probe?: Probe
}
