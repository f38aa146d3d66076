// Pages of rows in any order: behind a marker, by several columns, on every engine alike.
import { sql, type SelectQueryBuilder } from 'kysely'

export interface Sorting<C extends string = string> { column: C, direction: 'asc' | 'desc' }
/** A page of a list: after the row `marker`, in the order of `sort`. */
export interface Page<C extends string = string> {
  /** The last column must be unique, so that the order is total. */
  sort: Sorting<C>[]
  /** The row after which the page begins. */
  marker?: Partial<Record<C, unknown>>
  limit?: number
  /** What stands for NULL in the columns that may be it; the others keep their index. */
  empty?: Partial<Record<C, string | number>>
}

/** The query, sorted, from the marker on, and no longer than the page. */
export function page<DB, TB extends keyof DB, O, C extends string>(
  query: SelectQueryBuilder<DB, TB, O>, { sort, marker, limit, empty = {} }: Page<C>,
): SelectQueryBuilder<DB, TB, O> {
  const ref = (column: C) => (empty[column] === undefined ? sql`${sql.ref(column)}` : sql`COALESCE(${sql.ref(column)}, ${empty[column]})`)
  const at = (column: C) => marker![column] ?? empty[column]
  if (marker) {
    // (a, b, id) compared from the left.
    const parts = sort.map(({ column, direction }, i) => {
      const same = sort.slice(0, i).map((s) => sql`${ref(s.column)} = ${at(s.column)}`)
      return sql`(${sql.join([...same, sql`${ref(column)} ${sql.raw(direction === 'asc' ? '>' : '<')} ${at(column)}`], sql` AND `)})`
    })
    query = query.where(sql<boolean>`(${sql.join(parts, sql` OR `)})`)
  }
  for (const { column, direction } of sort) query = query.orderBy(ref(column), direction)
  return limit === undefined ? query : query.limit(limit)
}
