// Repairs what sagas and messages cannot know, by a slow look through the tables. What a live saga works on is left alone; what is not ours is too.
import { setTimeout as delay } from 'node:timers/promises'
import type { Context, Log } from '#base/context.ts'
import { explain, isFault } from '#base/errors.ts'
import { after } from '#base/time.ts'
import type { Bus } from '#kit/bus/bus.ts'
import type { ServiceClient } from '#kit/http/client.ts'
import type { Store } from '#kit/store/store.ts'
import { computeAgentBus } from '../bus.ts'
import * as actions from '../instance-actions/store.ts'
import type { PowerAction } from '../lifecycle.ts'
import type { ComputeTables, TaskState } from '../schema.ts'
import { powerMoves } from '../servers/state.ts'
import { asCompute } from './commands.ts'
import * as hosts from './hosts-store.ts'
import { powerChanges } from './lifecycle.ts'
import * as servers from './servers-store.ts'

export interface ReconcileDeps {
  store: Store<ComputeTables>
  bus: Bus
  placement: ServiceClient
  log: Log
  /** A context for what nobody asked for. */
  context(): Context
  /** How long guests may take to shut themselves down. */
  graceMs: number
  downAfterMs: number
}

const actionOf = new Map(Object.entries(powerMoves).map(([action, { task }]) => [task, action as PowerAction]))
/** Beyond a guest's own grace: how long the host's answer may take before it is asked again. */
const patienceMs = 120_000
const pageSize = 100

/**
 * Asks again for power changes whose answer never came (a lost message, a dead letter), so that no task sticks. Whatever the host did meanwhile, it does once
 * more: a reboot may happen twice. Hosts that are down still have the first command waiting for them. Answers how many were asked again.
 */
export async function resendPower({ store, bus, log, context, graceMs, downAfterMs }: ReconcileDeps, olderThanMs = graceMs + patienceMs): Promise<number> {
  const { rows, up } = await store.read(async (tx) => {
    const rows = await servers.waitingSince(tx, [...actionOf.keys()] as TaskState[], after(-olderThanMs), pageSize)
    return { rows, up: rows.length === 0 ? new Set<string>() : await hosts.upSince(tx, [...new Set(rows.map((r) => r.host!))], Date.now() - downAfterMs) }
  })
  let sent = 0
  for (const row of rows) {
    const action = actionOf.get(row.taskState!)!
    if (!up.has(row.host!)) continue
    await store.tx(async (tx) => {
      // The answer ends the action of the request that began it.
      const [begun] = await actions.list(tx, row.id, { limit: 1 }) ?? []
      const ctx = asCompute({ ...context(), ...(begun && { requestId: begun.requestId }) })
      await servers.move(tx, row, {})
      await bus.cast(tx, ctx, computeAgentBus, 'power', { serverId: row.id, generation: row.generation + 1, action, change: powerChanges(graceMs)[action] }, { target: row.host!, lane: row.id })
    }).then(() => {
      sent++
      log.warn({ serverId: row.id, host: row.host, task: row.taskState }, 'a power change went unanswered; the host is asked again')
    }, (error: unknown) => { if (!isFault(error, 'conflict')) throw error })
  }
  return sent
}

/**
 * Frees what is claimed for servers that are gone, or failed before they had a host: a claim that landed after its saga had given up on it. Consumers that
 * never were servers are somebody else's. Answers how many were freed.
 */
export async function freeClaims({ store, placement, log, context }: ReconcileDeps, paceMs = 20, signal?: AbortSignal): Promise<number> {
  const ctx = asCompute(context())
  let freed = 0
  for (let from = ''; ;) {
    const page = await store.read((tx) => hosts.page(tx, from, pageSize))
    for (const { host, id } of page) {
      if (signal?.aborted) return freed
      const { body } = await placement.call<{ allocations: Record<string, object> }>(ctx, 'showProviderAllocations', { params: { uuid: id } })
      const consumers = Object.keys(body.allocations)
      for (let i = 0; i < consumers.length; i += pageSize) {
        for (const serverId of await store.read((tx) => servers.usingNothing(tx, consumers.slice(i, i + pageSize)))) {
          await placement.call(ctx, 'deleteAllocations', { params: { consumer_uuid: serverId } }).catch((error: unknown) => { if (!isFault(error, 'notFound')) throw error })
          freed++
          log.warn({ serverId, host }, 'a claim of a server that is not there was freed')
        }
      }
      await delay(paceMs, undefined, { signal }).catch(() => {})
    }
    if (page.length < pageSize) return freed
    from = page.at(-1)!.host
  }
}

/** Looks at power changes every minute and at claims every ten. Answers a function that ends it, and waits for a look under way. */
export function startReconcile(deps: ReconcileDeps): () => Promise<void> {
  const ending = new AbortController()
  async function repeat(what: string, everyMs: number, work: () => Promise<unknown>): Promise<void> {
    for (let pauseMs = Math.min(everyMs, 10_000); ; pauseMs = everyMs) {
      // Several conductors do not all look at the same instant.
      await delay(Math.round(pauseMs * (0.9 + Math.random() / 5)), undefined, { signal: ending.signal, ref: false }).catch(() => {})
      if (ending.signal.aborted) return
      await work().catch((error: unknown) => deps.log.warn({ error: explain(error) }, `a look at ${what} went wrong`))
    }
  }
  const loops = [repeat('power changes', 60_000, () => resendPower(deps)), repeat('claims', 600_000, () => freeClaims(deps, 20, ending.signal))]
  return async () => {
    ending.abort()
    await Promise.all(loops)
  }
}
