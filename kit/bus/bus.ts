// The bus: how services, the conductor, the scheduler and agents speak to each other. In one process or over RabbitMQ, the same promises:
//   call    answered once or failed; what the server throws as a Fault, the caller catches as the same Fault.
//   cast    written to the outbox in the caller's transaction; handled at least once after the commit, in order per address and lane.
//   notify  heard by whoever listens just now.
import type { Context, Log } from '#base/context.ts'
import { silentLog } from '#base/context.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import type { CallNames, CastNames, Contract, Handlers, Members, ReplyOf, RequestOf, Topic } from './contract.ts'
import type { ContextFor } from './envelope.ts'

export interface ServeOptions {
  /** The host an agent serves; without it messages to the bare topic are served, shared with every other server of it. */
  target?: string
  /** At most so many calls at once, and beside them so many casts. */
  concurrency?: number
}
export interface CallOptions {
  target?: string
  /** How long the answer is waited for; never longer than the context's own deadline. */
  timeoutMs?: number
  /** The question may be answered twice: when the way to the answer breaks (a broker restarts, a server dies) it is asked again until the time is over. */
  repeatable?: boolean
}
export interface CastOptions {
  target?: string
  /**
   * Casts of one lane are handled strictly one after another, different lanes of an address side by side: pass a server's id where only commands
   * about the same server must keep their order. Without it all casts to the address are one lane.
   */
  lane?: string
}
export type Stop = () => Promise<void>

export interface Bus {
  /** Serves a contract until the returned function is called; that waits for handlers that have begun. */
  serve<M extends Members>(contract: Contract<M>, handlers: Handlers<M>, options?: ServeOptions): Promise<Stop>
  /** Asks and waits. No answer in time, or no server: Fault `unavailable` of type NoAnswer; whether the work was done is then unknown. */
  call<M extends Members, K extends CallNames<M>>(ctx: Context, contract: Contract<M>, name: K, request: RequestOf<M[K]>, options?: CallOptions): Promise<ReplyOf<M[K]>>
  /**
   * Leaves a command in the outbox; it goes out when `tx` commits. It is kept as plain text in the database and the broker: ids, never secrets.
   * A handler that throws is tried again with growing pauses, then the cast is a dead letter; a Fault other than `unavailable` and
   * `tooManyRequests` is a considered refusal: logged and not repeated.
   */
  cast<M extends Members, K extends CastNames<M>>(tx: Tx, ctx: Context, contract: Contract<M>, name: K, message: RequestOf<M[K]>, options?: CastOptions): Promise<void>
  /** Tells whoever listens now. Never fails: news that must arrive is a cast. */
  notify<Message>(ctx: Context, topic: Topic<Message>, message: Message): void
  listen<Message>(topic: Topic<Message>, handler: (ctx: Context, message: Message) => Promise<void> | void): Promise<Stop>
  /** Stops serving and sending; waits for handlers that have begun. What is in the outbox stays there. */
  close(): Promise<void>
}

export interface BusOptions {
  /** The database with the outbox (see `busMigrations`); a process that only serves and calls needs none. */
  store?: Store
  log?: Log
  contextFor?: ContextFor
  /** A name that only one living process has: a restart under it takes up at once what the last life left claimed. */
  owner?: string
  /** How long a process keeps its claim on an address' casts without a sign of life. */
  leaseMs?: number
  /** How often the outbox is looked through for casts nobody was woken for. */
  scanMs?: number
  /** Keeps the cloud's dead letters in `store`. False for a process whose database is only its own, where no operator looks. */
  keepDeadLetters?: boolean
  /** How often a failing cast is tried, and the pauses between. */
  retry?: { attempts: number, firstMs: number, maxMs: number }
}

export type BusConfig = { transport: 'local' } | { transport: 'rabbitmq', url: string, connectTimeoutMs?: number }

/** Settings as the transports use them. */
export type Settings = Required<Omit<BusOptions, 'store' | 'contextFor' | 'owner'>> & Pick<BusOptions, 'store' | 'contextFor' | 'owner'>

export const defaults = (options: BusOptions): Settings => ({
  leaseMs: 5_000, scanMs: 2_000, keepDeadLetters: true, log: silentLog, ...options, retry: options.retry ?? { attempts: 8, firstMs: 200, maxMs: 30_000 },
})

export const defaultTimeoutMs = 60_000
export const defaultConcurrency = 32
/** A message delivered this often without an end takes its process with it each time: it becomes a dead letter. */
export const deliveryLimit = 20

/** Lets a stop function be called twice. */
export function once(stop: Stop): Stop {
  let stopping: Promise<void> | undefined
  return () => stopping ??= stop()
}

/** Opens the bus. The broker's client is loaded only where it is configured. */
export async function openBus(config: BusConfig & BusOptions): Promise<Bus> {
  if (config.transport === 'local') return (await import('./local.ts')).openLocalBus(defaults(config))
  return (await import('./rabbitmq.ts')).openRabbitmqBus(config, defaults(config))
}
