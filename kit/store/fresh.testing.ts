// Which database tests get that ask for none in particular: a SQLite file of their own, unless a suite runs them once more on a server.
import type { StoreConfig } from './store.ts'

let open: (() => Promise<StoreConfig>) | undefined

/** From now on each test's store is an empty database that this makes; undefined: a SQLite file again. */
export const testsLiveIn = (databases: (() => Promise<StoreConfig>) | undefined): void => { open = databases }

/** An empty database, or undefined for a SQLite file of the asker's own. */
export const freshDatabase = async (): Promise<StoreConfig | undefined> => open?.()
