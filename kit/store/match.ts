// Parts of text compared alike on every engine. LIKE is no help: SQLite's takes no notice of case, and it gives `%` and `_` a meaning.
import { sql, type RawBuilder } from 'kysely'
import type { Tx } from './store.ts'

/** Where in the text the part must stand. */
export type TextMatch = 'contains' | 'startswith' | 'endswith'

/** True where the column's text has the part in that place. Without regard to case: that of ASCII letters on SQLite and PostgreSQL. */
export function textMatches(tx: Tx, column: string, how: TextMatch, part: string, ignoreCase = false): RawBuilder<boolean> {
  const shown = (value: RawBuilder<unknown>): RawBuilder<unknown> => (ignoreCase ? sql`lower(${value})` : value)
  const text = shown(sql.ref(column)), wanted = shown(sql.val(part))
  // Every text has the empty part, also where `right(text, 0)` and its like are not of one mind.
  if (part === '') return sql<boolean>`${sql.ref(column)} IS NOT NULL`
  const length = [...part].length
  if (how === 'contains') return tx.engine === 'postgres' ? sql<boolean>`strpos(${text}, ${wanted}) > 0` : sql<boolean>`instr(${text}, ${wanted}) > 0`
  if (tx.engine === 'sqlite') {
    return how === 'startswith' ? sql<boolean>`substr(${text}, 1, ${length}) = ${wanted}` : sql<boolean>`substr(${text}, ${-length}) = ${wanted}`
  }
  return how === 'startswith' ? sql<boolean>`left(${text}, ${sql.lit(length)}) = ${wanted}` : sql<boolean>`right(${text}, ${sql.lit(length)}) = ${wanted}`
}
