// Lists that are no tables: filters and `fields` on what would be answered.
import { isTrue } from './kinds.ts'

/** Few and small: narrowed here rather than in SQL. */
export function narrowed(views: Record<string, unknown>[], query: Record<string, unknown>): Record<string, unknown>[] {
  const fields = query.fields === undefined ? [] : [query.fields].flat() as string[]
  return views
    .filter((view) => Object.entries(query).every(([name, asked]) => !Object.hasOwn(view, name) || [asked].flat().some((value) => (typeof view[name] === 'boolean' ? isTrue(value) === view[name] : String(view[name]) === String(value)))))
    .map((view) => (fields.length === 0 ? view : Object.fromEntries(Object.entries(view).filter(([name]) => fields.includes(name)))))
}
