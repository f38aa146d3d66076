// Work that only one process of a cloud may do at a time, such as filling an empty database: a lock with a lease, on any engine.
import { setTimeout as delay } from 'node:timers/promises'
import type { Migration } from './migrations.ts'
import { change, insertIfAbsent } from './rows.ts'
import type { Store } from './store.ts'

interface Tables { kitLocks: { name: string, owner: string, until: number } }

/** The table of this file. */
export const lockMigrations: Migration[] = [
  { id: '0001-locks', changes: [{ createTable: 'kitLocks', as: { columns: { name: 'text', owner: 'text', until: 'int' }, primaryKey: ['name'] } }] },
]

export interface AloneOptions {
  /** A name that only one living process has: what its last life left locked is taken at once. */
  owner: string
  /** A process that has not shown itself for so long is dead. */
  leaseMs?: number
}

/** Runs `work` while nobody else runs work of this name; waits for whoever does, for as long as it lives. */
export async function alone<T>(anyStore: Store, name: string, { owner, leaseMs = 15_000 }: AloneOptions, work: () => Promise<T>): Promise<T> {
  const store = anyStore.as<Tables>()
  const take = (): Promise<boolean> => store.tx(async (tx) => {
    const until = Date.now() + leaseMs
    if (await insertIfAbsent(tx, 'kitLocks', { name, owner, until })) return true
    const held = await tx.db.selectFrom('kitLocks').selectAll().where('name', '=', name).executeTakeFirstOrThrow()
    if (held.owner !== owner && Number(held.until) > Date.now()) return false
    return await change(tx, 'kitLocks', { name, owner: held.owner, until: held.until }, { owner, until }) === 1
  })
  while (!await take()) await delay(Math.min(100, leaseMs / 3))
  const heart = setInterval(() => void store.tx((tx) => change(tx, 'kitLocks', { name, owner }, { until: Date.now() + leaseMs })).catch(() => {}), leaseMs / 3)
  try {
    return await work()
  } finally {
    clearInterval(heart)
    // Whoever waits would otherwise wait for the lease to end; that it does is enough when this fails.
    await store.tx((tx) => change(tx, 'kitLocks', { name, owner }, { until: 0 })).catch(() => {})
  }
}
