// What every noun of identity does with its rows, and what lists have in common: filters that name a column, exact or of a part of its text, and pages by id.
import { insert, replace } from '#kit/store/rows.ts'
import { textMatches, type TextMatch } from '#kit/store/match.ts'
import type { IdentityTx } from './deps.ts'
import { fetchLimit, type Page } from './fields.ts'
import type { IdentityTables } from './schema.ts'

/** One condition of a list. An exact value of null asks for what has none. */
export type Term =
  | { column: string, how: 'is', value: string | number | null }
  | { column: string, how: TextMatch, value: string, ignoreCase: boolean }

interface Narrowable { where(...args: any[]): this, orderBy(column: any): this, limit(rows: number): this }

/** The query with its conditions. */
export function matching<Q extends Narrowable>(tx: IdentityTx, query: Q, terms: readonly Term[], alias?: string): Q {
  const at = (column: string): string => (alias ? `${alias}.${column}` : column)
  let asked = query
  for (const term of terms) {
    if (term.how !== 'is') asked = asked.where(textMatches(tx, at(term.column), term.how, term.value, term.ignoreCase))
    else asked = term.value === null ? asked.where(at(term.column), 'is', null) : asked.where(at(term.column), '=', term.value)
  }
  return asked
}

/** The query with its conditions, in the order of ids, from the marker on and one row longer than the page. */
export function narrowed<Q extends Narrowable>(tx: IdentityTx, query: Q, terms: readonly Term[] = [], page: Page = {}, alias?: string): Q {
  const id = alias ? `${alias}.id` : 'id', asked = matching(tx, query, terms, alias)
  return (page.marker ? asked.where(id, '>', page.marker) : asked).orderBy(id).limit(fetchLimit(page))
}

/** Conditions on whole values. */
export const exactly = (columns: Record<string, string | number | null>): Term[] => Object.entries(columns).map(([column, value]) => ({ column, how: 'is', value }))

export const countOf = async (tx: IdentityTx, table: keyof IdentityTables, terms: readonly Term[]): Promise<number> =>
  Number((await matching(tx, tx.db.selectFrom(table).select((eb) => eb.fn.countAll().as('n')), terms).executeTakeFirstOrThrow()).n)

/** A table's rows by id: found, listed by page, added and changed. `clash` is the error of a row that has what only one may have. */
export const rowsOf = <R extends { id: string }>(table: keyof IdentityTables, clash?: (row: R) => Error) => ({
  find: async (tx: IdentityTx, id: string): Promise<R | undefined> => await tx.db.selectFrom(table).selectAll()
    .where('id' as never, '=', id as never).executeTakeFirst() as R | undefined,
  list: async (tx: IdentityTx, terms: readonly Term[] = [], page: Page = {}): Promise<R[]> =>
    await narrowed(tx, tx.db.selectFrom(table).selectAll(), terms, page).execute() as unknown as R[],
  add: (tx: IdentityTx, row: R): Promise<void> => insert(tx, table, { ...row }, clash && (() => clash(row))),
  save: (tx: IdentityTx, was: R, row: R): Promise<void> => replace(tx, table, was, row, clash && (() => clash(row))),
})
