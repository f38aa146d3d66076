// A small world for this folder's tests: things that are there or not, changed by sagas over a real journal in a temporary database.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate } from '#kit/store/migrations.ts'
import { openStore, type Store } from '#kit/store/store.ts'
import { freshDatabase } from '#kit/store/fresh.testing.ts'
import { createRunner, type Runner, type RunnerOptions } from './runner.ts'
import type { Saga } from './saga.ts'
import { sagaMigrations } from './schema.ts'

/** What toy sagas change. */
export class Things {
  readonly there = new Set<string>()
  readonly log: string[] = []
  readonly failing = new Map<string, () => unknown>()

  /** Makes the next `do` or `undo` of these names run `work` instead; it may throw. */
  async put(name: string): Promise<string> {
    this.log.push(`+${name}`)
    this.there.add(name)
    await this.failing.get(`+${name}`)?.()
    return name
  }
  async take(name: string): Promise<void> {
    this.log.push(`-${name}`)
    await this.failing.get(`-${name}`)?.()
    this.there.delete(name)
  }
  /** The work of a step that makes `name` be there. */
  thing(name: string): { do: () => Promise<string>, undo: () => Promise<void> } {
    return { do: () => this.put(name), undo: () => this.take(name) }
  }
  get left(): string[] { return [...this.there].sort() }
}

export interface Toy { store: Store, close(): Promise<void> }

export async function toyStore(): Promise<Toy> {
  const dir = mkdtempSync(join(tmpdir(), 'saga-'))
  const store = await openStore(await freshDatabase() ?? { engine: 'sqlite', file: join(dir, 'toy.db'), volatile: true })
  await migrate(store, [{ area: 'saga', migrations: sagaMigrations }])
  return { store, async close() { await store.close(); rmSync(dir, { recursive: true }) } }
}

export const who = { actor: { userId: 'u', projectId: 'p', roles: ['member'] }, requestId: 'req-1', traceId: 'trace-1' }
export const quick = { undoBackoff: { firstMs: 1, maxMs: 1, attempts: 3 }, retryBackoff: { firstMs: 1, maxMs: 1 } }

let number = 0
export const freshId = (): string => `res-${++number}`

/** A runner over toy sagas; the options a test cares about may be given. */
export const toyRunner = (store: Store, sagas: Saga[], deps: unknown, over: Partial<RunnerOptions> = {}): Runner =>
  createRunner({ store, sagas, deps: () => deps, owner: 'here', ...quick, ...over })

/** Starts a saga as a service would. */
export const begin = <I>(store: Store, runner: Runner, saga: Saga<I>, resourceId: string, input: I, sealed?: object): Promise<string> =>
  store.tx((tx) => runner.start(tx, saga as Saga, { ...who, resourceId, input, ...(sealed && { sealed }) }), { durable: true })
