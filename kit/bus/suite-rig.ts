// The ground the bus' suite stands on: a database, buses on it that are closed after each test, and a contract to speak by.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'node:test'
import { plainContext } from '#base/context.ts'
import { newHexId } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import { migrate } from '#kit/store/migrations.ts'
import { openStore, type Store, type StoreConfig } from '#kit/store/store.ts'
import type { Bus, BusOptions } from './bus.ts'
import { call, cast, contract } from './contract.ts'
import { busMigrations } from './store.ts'

export interface Transport {
  open(options: BusOptions): Promise<Bus>
  /** Whether two open buses reach each other's servers. */
  reaches: boolean
  /** An empty database; SQLite by default. */
  database?(): Promise<StoreConfig>
}

export const waitMs = 20_000
const quick = { attempts: 3, firstMs: 5, maxMs: 20 }

/** A contract nobody else of this run uses. */
export const fresh = () => contract(`suite-${newHexId().slice(0, 12)}`, {
  add: call<{ a: number, b: number }, { sum: number }>(), echo: call<unknown, unknown>(), work: cast<{ n: number, note?: string }>(),
})
/** For what a test's servers have no part in. */
export const idle = { add: async ({}, { a, b }: { a: number, b: number }) => ({ sum: a + b }), echo: async (_ctx: unknown, it: unknown) => it, work: async () => {} }
export const ctx = plainContext({ actor: { userId: 'u1', userName: 'ann', projectId: 'p1', roles: ['member'] }, requestId: 'req-1', traceId: 'trace-1', resourceId: 'server-1' })

/** Opens a database with the bus' tables; the caller closes it. */
export async function storeForTests(database?: () => Promise<StoreConfig>): Promise<{ store: Store, remove(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'pileus-bus-'))
  const store = await openStore(await database?.() ?? { engine: 'sqlite', file: join(dir, 'db'), volatile: true })
  await migrate(store, [{ area: 'kit/bus', migrations: busMigrations }])
  return { store, async remove() { await store.close(); rmSync(dir, { recursive: true, force: true }) } }
}

export interface Rig {
  store: Store
  bus: Bus
  /** One more bus on the same database and broker. */
  open(over?: BusOptions): Promise<Bus>
  /** Waits until the outbox is empty. */
  empty(): Promise<unknown>
  reaches: boolean
}

/** To be called within a `describe`: makes rigs for its tests. */
export function rigs(start: () => Promise<Transport>): (options?: BusOptions) => Promise<Rig> {
  let transport: Transport | undefined
  const opened: Bus[] = []
  const removals: (() => Promise<void>)[] = []
  // Before the next test: buses of one broker share its dead letters.
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((bus) => bus.close()))
    for (const remove of removals.splice(0)) await remove()
  })
  async function rig(options: BusOptions = {}): Promise<Rig> {
    transport ??= await start()
    const { store, remove } = await storeForTests(transport.database)
    removals.push(remove)
    const open = async (over: BusOptions = {}): Promise<Bus> => {
      const bus = await transport!.open({ store, retry: quick, scanMs: 200, ...options, ...over })
      opened.push(bus)
      return bus
    }
    const waiting = (): Promise<number> => store.read(async (tx) => (await tx.db.selectFrom('kitOutbox').select('id').execute()).length)
    const empty = (): Promise<unknown> => waitFor('the outbox to be empty', async () => (await waiting()) === 0 || undefined, waitMs, 5)
    return { store, bus: await open(), open, empty, reaches: transport.reaches }
  }
  return rig
}
