// What may be said over the bus, as values: a contract's members carry their types, so that both ends are checked against one declaration.
import type { Context } from '#base/context.ts'

/** A question: one server answers it, or throws a Fault. */
export interface Call<Request, Reply> { readonly kind: 'call', readonly types?: { request: Request, reply: Reply } }
/** A command: written with the caller's rows, done at least once after they are committed. */
export interface Cast<Message> { readonly kind: 'cast', readonly types?: { message: Message } }

export const call = <Request, Reply>(): Call<Request, Reply> => ({ kind: 'call' })
export const cast = <Message>(): Cast<Message> => ({ kind: 'cast' })

export type Members = Record<string, Call<any, any> | Cast<any>>
export interface Contract<M extends Members = Members> { readonly topic: string, readonly members: M }

const names = /^[a-z][a-z0-9-]*$/

/** A service's or an agent's side of the bus. `topic` is its address; an agent adds its host as the target. */
export function contract<const M extends Members>(topic: string, members: M): Contract<M> {
  if (!names.test(topic)) throw new Error(`a bus topic is lower-case letters, digits and dashes, not "${topic}"`)
  return { topic, members }
}

/** A subject of notifications: whoever listens hears it, nobody has to. */
export interface Topic<Message> { readonly topic: string, readonly types?: { message: Message } }
export const topic = <Message>(name: string): Topic<Message> => ({ topic: name })

export type CallNames<M extends Members> = { [K in keyof M]: M[K] extends Call<any, any> ? K : never }[keyof M] & string
export type CastNames<M extends Members> = { [K in keyof M]: M[K] extends Cast<any> ? K : never }[keyof M] & string
export type RequestOf<C> = C extends Call<infer Request, any> ? Request : C extends Cast<infer Message> ? Message : never
export type ReplyOf<C> = C extends Call<any, infer Reply> ? Reply : never

/** About the delivery of a message, beside its content. */
export interface Delivery {
  /** The same on every delivery of one message. */
  id: string
  /** 1 the first time; more when the message may have been worked on before. */
  attempt: number
}

/** What the serving side provides: one function a member. */
export type Handlers<M extends Members> = {
  [K in keyof M]: M[K] extends Call<infer Request, infer Reply>
    ? (ctx: Context, request: Request, delivery: Delivery) => Promise<Reply>
    : M[K] extends Cast<infer Message> ? (ctx: Context, message: Message, delivery: Delivery) => Promise<void> : never
}

/** `compute-agent.host-1`: where messages for a topic, and perhaps one target of it, are kept. */
export function addressOf(topic: string, target?: string): string {
  if (target !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/.test(target)) throw new Error(`a bus target is a host name, not "${target}"`)
  const address = target === undefined ? topic : `${topic}.${target}`
  if (address.length > 200) throw new Error(`the bus address "${address.slice(0, 40)}…" is too long`)
  return address
}
