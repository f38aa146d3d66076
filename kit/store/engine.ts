// What the three engines share: a query builder over one connection, rows as objects with camelCase names, and the wakes after a commit.
import { Kysely, type DatabaseConnection, type Dialect } from 'kysely'
import { camel } from './names.ts'

/** The parts of a dialect that differ between engines. */
export type DialectParts = Pick<Dialect, 'createAdapter' | 'createIntrospector' | 'createQueryCompiler'>

/** A query builder that sends everything over this one connection; transactions are begun and ended by the engine, never by the builder. */
export const kyselyOn = (connection: DatabaseConnection, parts: DialectParts): Kysely<any> => new Kysely({
  dialect: {
    ...parts,
    createDriver: () => ({
      init: async () => {}, acquireConnection: async () => connection, releaseConnection: async () => {}, destroy: async () => {},
      beginTransaction: async () => {}, commitTransaction: async () => {}, rollbackTransaction: async () => {},
    }),
  },
})

/** The columns of a result, as rows name them. */
export const camelNames = (fields: readonly { name: string }[]): string[] => fields.map((f) => camel(f.name))

/** Arrays of values as objects. */
export function asObjects<R>(names: string[], rows: unknown[][]): R[] {
  return rows.map((values) => {
    const row: Record<string, unknown> = {}
    for (let i = 0; i < names.length; i++) row[names[i]!] = values[i]
    return row as R
  })
}

/** The transaction is in the database: a wake that fails must not make it look otherwise. */
export function runWakes(wakes: readonly (() => void)[]): void {
  for (const wake of wakes) {
    try { wake() } catch (error) { process.emitWarning(error instanceof Error ? error : String(error)) }
  }
}

/** Lists are paged here, not streamed. */
// oxlint-disable-next-line require-yield
export async function* noStream(): AsyncIterableIterator<never> { throw new Error('lists are paged here, not streamed') }
