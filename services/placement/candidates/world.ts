// All providers as they are searched: in memory, brought up to date before each search by the stamps that every change leaves on its provider's row. That is right
// with any number of control planes: nothing is believed that the database was not just asked about, only what has the same stamp is not read again.
import { inChunks } from '#kit/store/rows.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import { sharesViaAggregate } from '../traits/standard.ts'
import { capacityOf } from '../inventories/fields.ts'
import type { InventoryRow, PlacementTables, ProviderRow } from '../schema.ts'

/** What there is of a resource class, apart from what is used of it; `at`: where in `used` that stands. */
export interface Stock { at: number, capacity: number, minUnit: number, maxUnit: number, stepSize: number }
/** Never changed: a provider with another stamp is another object. So what is made of one may be kept with it. */
export interface Provider {
  readonly id: string
  readonly name: string
  readonly parentId: string | null
  readonly rootId: string
  readonly stamp: number
  readonly inventories: ReadonlyMap<string, Stock>
  /** What is used of each inventory, in their order. */
  readonly used: readonly number[]
  readonly traits: ReadonlySet<string>
  readonly aggregates: ReadonlySet<string>
  /** Whether it serves the trees that are in an aggregate with it. */
  readonly shares: boolean
  /** The text that its summary begins with, once it was sent (view.ts). */
  summary: string | undefined
}
/** What a search looks at. It changes whenever somebody asks for a fresh one, but not while it is `lent`. */
export interface Scene {
  /** How many look at it who must wait for something before they are done. */
  lent: number
  readonly providers: ReadonlyMap<string, Provider>
  /** By the root's id. */
  readonly trees: ReadonlyMap<string, readonly Provider[]>
  /** Those that share, by aggregate. */
  readonly sharing: ReadonlyMap<string, readonly Provider[]>
}
/** All that is there to be searched, kept up to date. */
export interface World {
  /** The scene as of some moment after this was called. */
  fresh(): Promise<Scene>
}

/** A world that knows nothing yet: the first who asks has it read. */
export const openWorld = (store: Store<PlacementTables>): World => {
  let index = new Index()
  let running: Promise<Scene> | undefined, next: Promise<Scene> | undefined
  const begin = (): Promise<Scene> => {
    const mine = store.read(async (tx) => index = await index.refresh(tx)).finally(() => { if (running === mine) running = undefined })
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

const push = <K, V>(map: Map<K, V[]>, key: K, value: V): void => {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

/**
 * Thousands of hosts have the same traits, are in the same aggregates and have as much of the same classes: kept once. Those of long ago are forgotten some day;
 * who still has one keeps it.
 */
class Kept<V> {
  readonly #values = new Map<string, V>()
  get(key: string, make: () => V): V {
    let value = this.#values.get(key)
    if (value === undefined) {
      if (this.#values.size > 10_000) this.#values.clear()
      this.#values.set(key, value = make())
    }
    return value
  }
}
const copied = (map: Map<string, Provider[]>): Map<string, Provider[]> => new Map([...map].map(([key, list]) => [key, [...list]]))

class Index implements Scene {
  readonly providers: Map<string, Provider>
  readonly trees: Map<string, Provider[]>
  readonly sharing: Map<string, Provider[]>
  readonly #sets: Kept<ReadonlySet<string>>
  readonly #stocks: Kept<ReadonlyMap<string, Stock>>
  lent = 0

  constructor(from?: Index) {
    this.providers = new Map(from?.providers)
    this.trees = copied(from?.trees ?? new Map())
    this.sharing = copied(from?.sharing ?? new Map())
    this.#sets = from ? from.#sets : new Kept()
    this.#stocks = from ? from.#stocks : new Kept()
  }

  /** This, or one that takes its place because somebody still looks at this. */
  async refresh(tx: Tx<PlacementTables>): Promise<Index> {
    const stamps = await tx.db.selectFrom('placementProviders').select(['id', 'stamp']).execute()
    const changed = stamps.filter((row) => this.providers.get(row.id)?.stamp !== row.stamp).map((row) => row.id)
    // As many as before and the new ones: nobody has gone, which need not be looked for.
    const fresh = changed.filter((id) => !this.providers.has(id))
    const gone = stamps.length === this.providers.size + fresh.length ? [] : this.#without(new Set(stamps.map((row) => row.id)))
    if (changed.length === 0 && gone.length === 0) return this
    // All before any of it is put in place: a search that runs between two statements sees what was.
    const read: Provider[] = []
    for (const ids of inChunks(changed, 500)) read.push(...await this.#read(tx, ids))
    const into = this.lent > 0 ? new Index(this) : this
    for (const id of gone) into.#drop(id)
    for (const provider of read) { into.#drop(provider.id); into.#put(provider) }
    return into
  }

  #without(there: ReadonlySet<string>): string[] { return [...this.providers.keys()].filter((id) => !there.has(id)) }
  async #read(tx: Tx<PlacementTables>, ids: string[]): Promise<Provider[]> {
    const rows: ProviderRow[] = await tx.db.selectFrom('placementProviders').selectAll().where('id', 'in', ids).execute()
    const inventories = Map.groupBy(
      await tx.db.selectFrom('placementInventories').selectAll().where('providerId', 'in', ids).orderBy('resourceClass').execute(), (r) => r.providerId)
    const traits = Map.groupBy(
      await tx.db.selectFrom('placementTraits').selectAll().where('providerId', 'in', ids).orderBy('trait').execute(), (r) => r.providerId)
    const aggregates = Map.groupBy(
      await tx.db.selectFrom('placementAggregates').selectAll().where('providerId', 'in', ids).orderBy('aggregateId').execute(), (r) => r.providerId)
    return rows.map((row) => {
      const rows = inventories.get(row.id) ?? []
      const key = JSON.stringify(rows.map((i) => [i.resourceClass, i.total, i.reserved, i.minUnit, i.maxUnit, i.stepSize, i.allocationRatio]))
      return providerOf(row, this.#stocks.get(key, () => stocksOf(rows)), rows.map((i) => i.used),
        this.#set((traits.get(row.id) ?? []).map((r) => r.trait)), this.#set((aggregates.get(row.id) ?? []).map((r) => r.aggregateId)))
    })
  }

  #set(names: string[]): ReadonlySet<string> { return this.#sets.get(names.join(), () => new Set(names)) }

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

/** What a provider has, in the order of `used`. */
export const stocksOf = (inventories: InventoryRow[]): ReadonlyMap<string, Stock> =>
  new Map(inventories.map(({ minUnit, maxUnit, stepSize, ...i }, at): [string, Stock] => [i.resourceClass, { at, capacity: capacityOf(i), minUnit, maxUnit, stepSize }]))

type Names = ReadonlySet<string>
/** A provider as it is searched, out of its row and what is kept with it. */
export function providerOf(
  row: Pick<ProviderRow, 'id' | 'name' | 'parentId' | 'rootId' | 'stamp'>,
  inventories: ReadonlyMap<string, Stock>, used: number[], traits: Names, aggregates: Names,
): Provider {
  const { id, name, parentId, rootId, stamp } = row
  // One string for a root's two ids: ten thousand hosts are roots.
  const root = rootId === id ? id : rootId
  return { id, name, parentId, rootId: root, stamp, inventories, used, traits, aggregates, shares: traits.has(sharesViaAggregate), summary: undefined }
}

/** A scene of given providers, for tests. */
export function sceneOf(list: Provider[]): Scene {
  const trees = new Map<string, Provider[]>(), sharing = new Map<string, Provider[]>()
  for (const p of list) {
    push(trees, p.rootId, p)
    if (p.shares) for (const aggregate of p.aggregates) push(sharing, aggregate, p)
  }
  return { providers: new Map(list.map((p) => [p.id, p])), trees, sharing, lent: 0 }
}
