// All providers as they are searched: in memory, brought up to date before each search by the stamps that every change leaves on its provider's row. That is right with any number
// of control planes: nothing is believed that the database was not just asked about, only what has the same stamp is not read again.
import type { Store, Tx } from '#kit/store/store.ts'
import { sharesViaAggregate } from '../traits/standard.ts'
import { capacityOf } from '../inventories/fields.ts'
import type { InventoryRow, PlacementTables, ProviderRow } from '../schema.ts'

export interface Stock { total: number, reserved: number, minUnit: number, maxUnit: number, stepSize: number, used: number, capacity: number }
export interface Provider {
  readonly id: string, readonly name: string, readonly parentId: string | null, readonly rootId: string, readonly stamp: number
  readonly inventories: ReadonlyMap<string, Stock>, readonly traits: ReadonlySet<string>, readonly aggregates: ReadonlySet<string>, readonly shares: boolean
}
/** What a search looks at; it must not wait for anything while it does. */
export interface Scene {
  readonly providers: ReadonlyMap<string, Provider>
  /** By the root's id. */
  readonly trees: ReadonlyMap<string, readonly Provider[]>
  /** Those that share, by aggregate. */
  readonly sharing: ReadonlyMap<string, readonly Provider[]>
}
export interface World {
  /** The scene as of some moment after this was called. */
  fresh(): Promise<Scene>
}

export const openWorld = (store: Store<PlacementTables>): World => {
  const index = new Index()
  let running: Promise<Scene> | undefined, next: Promise<Scene> | undefined
  const begin = (): Promise<Scene> => {
    const mine = store.read((tx) => index.refresh(tx)).finally(() => { if (running === mine) running = undefined })
    return running = mine
  }
  return {
    fresh() {
      if (!running && !next) return begin()
      // What runs may have looked before the caller's last change: all who come meanwhile share the next look.
      return next ??= running!.then(() => {}, () => {}).then(() => { next = undefined; return begin() })
    },
  }
}

const chunk = 500
const push = <K, V>(map: Map<K, V[]>, key: K, value: V): void => { const list = map.get(key); if (list) list.push(value); else map.set(key, [value]) }

class Index implements Scene {
  readonly providers = new Map<string, Provider>()
  readonly trees = new Map<string, Provider[]>()
  readonly sharing = new Map<string, Provider[]>()
  /** Thousands of hosts have the same traits, and are in the same aggregates: kept once, by their names joined. */
  readonly #sets = new Map<string, ReadonlySet<string>>()

  async refresh(tx: Tx<PlacementTables>): Promise<Scene> {
    const stamps = await tx.db.selectFrom('placementProviders').select(['id', 'stamp']).execute()
    const changed = stamps.filter((row) => this.providers.get(row.id)?.stamp !== row.stamp).map((row) => row.id)
    const gone = stamps.length === this.providers.size + changed.filter((id) => !this.providers.has(id)).length ? [] : (() => { const there = new Set(stamps.map((row) => row.id)); return [...this.providers.keys()].filter((id) => !there.has(id)) })()
    if (changed.length === 0 && gone.length === 0) return this
    // All before any of it is put in place: a search that runs between two statements sees what was.
    const read: Provider[] = []
    for (let i = 0; i < changed.length; i += chunk) read.push(...await this.#read(tx, changed.slice(i, i + chunk)))
    for (const id of gone) this.#drop(id)
    for (const provider of read) { this.#drop(provider.id); this.#put(provider) }
    return this
  }

  async #read(tx: Tx<PlacementTables>, ids: string[]): Promise<Provider[]> {
    const rows: ProviderRow[] = await tx.db.selectFrom('placementProviders').selectAll().where('id', 'in', ids).execute()
    const inventories = Map.groupBy(await tx.db.selectFrom('placementInventories').selectAll().where('providerId', 'in', ids).orderBy('resourceClass').execute(), (r) => r.providerId)
    const traits = Map.groupBy(await tx.db.selectFrom('placementTraits').selectAll().where('providerId', 'in', ids).orderBy('trait').execute(), (r) => r.providerId)
    const aggregates = Map.groupBy(await tx.db.selectFrom('placementAggregates').selectAll().where('providerId', 'in', ids).orderBy('aggregateId').execute(), (r) => r.providerId)
    return rows.map((row) => providerOf(row, inventories.get(row.id) ?? [], this.#set((traits.get(row.id) ?? []).map((r) => r.trait)), this.#set((aggregates.get(row.id) ?? []).map((r) => r.aggregateId))))
  }

  #set(names: string[]): ReadonlySet<string> {
    const key = names.join()
    let set = this.#sets.get(key)
    if (!set) {
      // Sets of long ago are forgotten some day; who still has one keeps it.
      if (this.#sets.size > 10_000) this.#sets.clear()
      this.#sets.set(key, set = new Set(names))
    }
    return set
  }

  #put(provider: Provider): void {
    this.providers.set(provider.id, provider)
    push(this.trees, provider.rootId, provider)
    if (provider.shares) for (const aggregate of provider.aggregates) push(this.sharing, aggregate, provider)
  }

  #drop(id: string): void {
    const old = this.providers.get(id)
    if (!old) return
    this.providers.delete(id)
    const without = (map: Map<string, Provider[]>, key: string): void => {
      const left = map.get(key)!.filter((p) => p !== old)
      if (left.length > 0) map.set(key, left)
      else map.delete(key)
    }
    without(this.trees, old.rootId)
    if (old.shares) for (const aggregate of old.aggregates) without(this.sharing, aggregate)
  }
}

export function providerOf(row: Pick<ProviderRow, 'id' | 'name' | 'parentId' | 'rootId' | 'stamp'>, inventories: InventoryRow[], traits: ReadonlySet<string>, aggregates: ReadonlySet<string>): Provider {
  const { id, name, parentId, rootId, stamp } = row
  const stock = new Map(inventories.map((i): [string, Stock] => [i.resourceClass, { total: i.total, reserved: i.reserved, minUnit: i.minUnit, maxUnit: i.maxUnit, stepSize: i.stepSize, used: i.used, capacity: capacityOf(i) }]))
  return { id, name, parentId, rootId, stamp, inventories: stock, traits, aggregates, shares: traits.has(sharesViaAggregate) }
}

/** A scene of given providers, for tests. */
export function sceneOf(list: Provider[]): Scene {
  const trees = new Map<string, Provider[]>(), sharing = new Map<string, Provider[]>()
  for (const p of list) {
    push(trees, p.rootId, p)
    if (p.shares) for (const aggregate of p.aggregates) push(sharing, aggregate, p)
  }
  return { providers: new Map(list.map((p) => [p.id, p])), trees, sharing }
}
