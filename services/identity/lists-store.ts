// What every list of identity has in common: filters that name a column, exact or of a part of its text, and pages by id.
import { textMatches, type TextMatch } from '#kit/store/match.ts'
import type { IdentityTx } from './deps.ts'
import { fetchLimit, type Page } from './fields.ts'

/** One condition of a list. An exact value of null asks for what has none. */
export type Term =
  | { column: string, how: 'is', value: string | number | null }
  | { column: string, how: TextMatch, value: string, ignoreCase: boolean }

/** Engines bound the number of parameters. */
export const inChunks = <T>(all: T[], size = 200): T[][] => Array.from({ length: Math.ceil(all.length / size) }, (_x, i) => all.slice(i * size, i * size + size))

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
