// Commands to agents: cast through the outbox, answered by a cast back. Whoever waits is here; a restarted conductor runs the step
// again, and the agent, whose work is idempotent, answers again.
import type { Context } from '#base/context.ts'
import { faultFrom, unavailable } from '#base/errors.ts'
import type { Bus } from '#kit/bus/bus.ts'
import type { StepContext } from '#kit/saga/saga.ts'
import type { Store } from '#kit/store/store.ts'
import { computeAgentBus, type Done } from '../bus.ts'
import type { ComputeTables } from '../schema.ts'
import * as hosts from './hosts-store.ts'

export interface CommandOptions {
  store: Store<ComputeTables>
  bus: Bus
  /** This conductor's own address on the bus. */
  instance: string
  /** A host that has not reported for so long is down, and nobody waits for it. */
  downAfterMs: number
  /** The longest a host may take to build a guest, image transfer included. */
  buildTimeoutMs: number
}

interface Waiter { host: string, command: Done['command'], resolve(): void, reject(error: unknown): void }

export class HostDown extends Error {}

export interface Commands {
  /** Has a host make the guest; throws what the host reported. */
  ensure(ctx: StepContext, host: string): Promise<void>
  /** Has a host remove the guest. A host that is down gets the command when it returns: it stays in the outbox, and nobody waits. */
  remove(ctx: StepContext, host: string): Promise<void>
  /** An agent's word. */
  done(message: Done): void
  close(): void
}

export function createCommands({ store, bus, instance, downAfterMs, buildTimeoutMs }: CommandOptions): Commands {
  const waiters = new Map<string, Waiter>()
  const keyOf = (serverId: string, epoch: number, command: string): string => `${command}/${serverId}/${epoch}`

  // One look at the hosts for all who wait, and only while somebody does.
  let watch: NodeJS.Timeout | undefined
  async function look(): Promise<void> {
    if (waiters.size === 0) { clearInterval(watch); watch = undefined; return }
    // Whoever comes while we look was not looked for: no word about his host.
    const asked = [...waiters.values()]
    const up = await store.read((tx) => hosts.upSince(tx, [...new Set(asked.map((w) => w.host))], Date.now() - downAfterMs))
    for (const waiter of asked) if (!up.has(waiter.host)) waiter.reject(new HostDown(waiter.host))
  }
  const lookAfterHosts = (): void => { watch ??= setInterval(() => void look().catch(() => {}), Math.min(10_000, downAfterMs / 6)).unref() }

  async function send(ctx: StepContext, host: string, command: Done['command'], timeoutMs: number): Promise<void> {
    const key = keyOf(ctx.resourceId, ctx.epoch, command)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // It may be refused before it is awaited, while the command is being written.
    promise.catch(() => {})
    const timer = setTimeout(() => reject(unavailable(`The host did not answer within ${Math.round(timeoutMs / 1000)} s.`, { adminDetail: host })), timeoutMs).unref()
    const stop = (): void => reject(ctx.signal.reason ?? new Error('stopped'))
    waiters.set(key, { host, command, resolve, reject })
    ctx.signal.addEventListener('abort', stop, { once: true })
    lookAfterHosts()
    try {
      await ctx.span('conductor.cast-to-agent', () => store.tx((tx) =>
        bus.cast(tx, ctx, computeAgentBus, command, { serverId: ctx.resourceId, epoch: ctx.epoch, replyTo: instance }, { target: host, lane: ctx.resourceId })), { admin: { host } })
      if (ctx.signal.aborted) stop()
      // Who deletes from a host that has been down for long need not wait for the next look.
      if (command === 'remove') void look().catch(() => {})
      await promise
    } finally {
      clearTimeout(timer)
      ctx.signal.removeEventListener('abort', stop)
      waiters.delete(key)
    }
  }

  return {
    async ensure(ctx, host) {
      try {
        await send(ctx, host, 'ensure', buildTimeoutMs)
      } catch (error) {
        throw error instanceof HostDown ? unavailable('The host stopped reporting while the server was being built.', { adminDetail: host }) : error
      }
    },
    async remove(ctx, host) {
      try {
        await send(ctx, host, 'remove', buildTimeoutMs)
      } catch (error) {
        if (!(error instanceof HostDown)) throw error
      }
    },
    done({ serverId, epoch, command, fault }) {
      const waiter = waiters.get(keyOf(serverId, epoch, command))
      if (fault) waiter?.reject(faultFrom(fault))
      else waiter?.resolve()
    },
    close() { clearInterval(watch) },
  }
}

/** A context for a service's own calls inside a saga step: the user stays named, the service adds its credential. */
export const asCompute = <C extends Context>(ctx: C): C => ({ ...ctx, actor: { ...ctx.actor, service: 'compute' } })
