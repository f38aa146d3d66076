// What crosses the wire around a message: who speaks, for which request, until when. Field by field, so that nothing else of a Context
// (least of all a credential) can slip onto the bus.
import { type Actor, type Context, type Log, plainContext } from '#base/context.ts'
import { type Fault, type FaultRecord, isFault, unavailable } from '#base/errors.ts'
import { newId } from '#base/ids.ts'

export interface Envelope {
  id: string
  kind: 'call' | 'cast' | 'notify'
  topic: string
  target?: string
  /** The contract's member; empty in a notification. */
  name: string
  /** Casts of one lane are delivered in order. */
  lane?: string
  actor: Actor
  requestId: string
  traceId: string
  resourceId?: string
  /** Epoch milliseconds. Clocks of one cloud are kept together; tokens need that as well. */
  deadlineAt?: number
  body: unknown
}

/** A call's answer. `bug` is told without its reason: that stays in the server's log. */
export type Answer = { reply: unknown } | { fault: FaultRecord } | { bug: true }

/** Makes the Context of the serving side. */
export type ContextFor = (envelope: Envelope) => Context

export const defaultContextFor = (log: Log): ContextFor => (e) =>
  plainContext({ actor: e.actor, requestId: e.requestId, traceId: e.traceId, resourceId: e.resourceId, deadlineAt: e.deadlineAt, log })

// Spelled out: a new field of Actor does not cross before somebody has thought about it.
const actorFields = Object.keys({
  service: true, userId: true, userName: true, userDomainId: true, projectId: true, projectName: true, projectDomainId: true, domainId: true, system: true, roles: true, auditId: true,
} satisfies Record<keyof Omit<Required<Actor>, 'delegation' | 'accessRules' | 'boundTo'>, true>) as (keyof Actor)[]

export interface Addressed { topic: string, target?: string, name: string, lane?: string, deadlineAt?: number }

/** Wraps a message. Casts and notifications carry no deadline: nobody waits for them. */
export function envelope(kind: Envelope['kind'], ctx: Context, to: Addressed, body: unknown): Envelope {
  const actor: Record<string, unknown> = {}
  for (const field of actorFields) if (ctx.actor[field] !== undefined) actor[field] = ctx.actor[field]
  return { id: newId(), kind, ...to, actor: actor as unknown as Actor, requestId: ctx.requestId, traceId: ctx.traceId, resourceId: ctx.resourceId, body }
}

/** The same value as the other side of a wire would see it; throws for what JSON cannot hold. */
export const overTheWire = <T>(value: T): T => JSON.parse(JSON.stringify({ value })).value

const addressed = (e: Envelope): string => `${e.topic}${e.target === undefined ? '' : `.${e.target}`} ${e.name}`

/** Nobody answered. Which host was silent is for administrators. */
export const noAnswer = (e: Envelope, why: string): Fault =>
  unavailable('The service is temporarily unable to answer.', { type: 'NoAnswer', adminDetail: `${addressed(e)}: ${why}` })

/** Turns an answer into the value, or into the error that the caller sees. */
export const bugOnTheOtherSide = (e: Envelope): Error => new Error(`${addressed(e)} met an unexpected error (request ${e.requestId}); the serving side's log has it`)

export const isEnvelope = (value: unknown): value is Envelope => {
  const e = value as Partial<Envelope> | null
  return typeof e === 'object' && e !== null && typeof e.id === 'string' && typeof e.topic === 'string' && typeof e.name === 'string' && typeof e.actor === 'object'
}

/** Faults that say "not now" rather than "never". */
export const isPassing = (error: unknown): boolean => isFault(error, 'unavailable') || isFault(error, 'tooManyRequests')
