// The SQL that all of network's collections share: lists narrowed by filters and sight, pages, tags, changes guarded by the revision.
import { sql, type Expression, type ExpressionBuilder, type SqlBool } from 'kysely'
import type { Actor } from '#base/context.ts'
import { now } from '#base/time.ts'
import { change, count, insert } from '#kit/store/rows.ts'
import type { Deps, NetworkTx, QuotaResource } from '../deps.ts'
import { malformed, quotaExceeded } from '../faults.ts'
import { isAdmin } from '../policy.ts'
import type { NetworkTables, ReportKind, Standard } from '../schema.ts'
import { isTrue } from './kinds.ts'
import type { Noun } from './noun.ts'
import type { Question } from './query.ts'
import { lostRace } from './race.ts'

type Eb = ExpressionBuilder<any, any>
export type Condition = Expression<SqlBool>
/** A filter as SQL over the noun's own table. */
export type Filters = Record<string, (eb: Eb, values: string[]) => Condition>
export type Visible = (eb: Eb, projectId: string) => Condition

/** Lists of ids padded to a power of two: few distinct statements, so that prepared ones are found again. */
export function padded(ids: readonly string[]): string[] {
  const out = [...ids]
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, out.length)))
  while (out.length < size) out.push(out[0] ?? '')
  return out
}

function compared(kind: 'text' | 'boolean' | 'integer', name: string, values: string[]): (string | number)[] {
  if (kind === 'text') return values
  return values.map((value) => {
    if (kind === 'boolean') {
      if (isTrue(value)) return 1
      if (/^(false|0)$/i.test(value)) return 0
      if (/^true$/i.test(value)) return 1
      throw malformed(`Invalid input for ${name}. Reason: '${value.slice(0, 40)}' cannot be converted to boolean.`)
    }
    if (!/^-?\d{1,15}$/.test(value)) throw malformed(`Invalid input for ${name}. Reason: '${value.slice(0, 40)}' is not an integer.`)
    return Number(value)
  })
}

/** Where each value is a condition of its own: databases bear not so many. */
const mostValues = 500
function few(name: string, values: string[]): string[] {
  if (values.length > mostValues) throw malformed(`Invalid input for ${name}. Reason: more than ${mostValues} values.`)
  return values
}

function conditionOf(eb: Eb, noun: Noun, name: string, values: string[]): Condition {
  const own = noun.filters[name]
  if (own) return own(eb, few(name, values))
  const attribute = noun.attributes[name]!, column = attribute.column!
  const wanted = compared(attribute.kind.sql, name, values)
  // An empty value also asks for what was never set.
  if (wanted.includes('')) return eb.or([eb(column, 'in', wanted), eb(column, 'is', null)])
  return wanted.length === 1 ? eb(column, '=', wanted[0]) : eb(column, 'in', padded(wanted as string[]))
}

/** The rows a question asks for, as this caller may see them. */
export async function select<R extends Standard>(tx: NetworkTx, noun: Noun<R>, actor: Actor, question: Question): Promise<R[]> {
  if (question.nothing) return []
  const db = tx.db as unknown as import('kysely').Kysely<any>
  let query = db.selectFrom(noun.table).selectAll()
  for (const [name, values] of question.filters) query = query.where((eb) => conditionOf(eb, noun, name, values))
  if (!isAdmin(actor)) query = query.where((eb) => noun.visible(eb, actor.projectId ?? ''))

  const order = [...question.sort.map(({ attribute, down }) => {
    const { column, kind } = noun.attributes[attribute]!
    return { column: column!, empty: kind.sql === 'text' ? '' : -1, down: down !== question.reverse }
  }), { column: 'id', empty: undefined, down: question.reverse }]
  const sortable = (o: (typeof order)[number]): Expression<unknown> => o.empty === undefined ? sql.ref(o.column) : sql`coalesce(${sql.ref(o.column)}, ${o.empty})`

  if (question.marker !== undefined) {
    // One that the caller does not see is none: what stands before and behind it would tell of it.
    const marker = await db.selectFrom(noun.table).selectAll().where('id', '=', question.marker).$if(!isAdmin(actor), (q) => q.where((eb) => noun.visible(eb, actor.projectId ?? ''))).executeTakeFirst() as Record<string, unknown> | undefined
    if (!marker) throw noun.missing(question.marker)
    query = query.where((eb) => eb.or(order.map((o, i) => eb.and([
      ...order.slice(0, i).map((before) => eb(sortable(before), '=', marker[before.column] ?? before.empty)),
      eb(sortable(o), o.down ? '<' : '>', marker[o.column] ?? o.empty),
    ]))))
  }
  for (const o of order) query = query.orderBy(sortable(o), o.down ? 'desc' : 'asc')
  if (question.limit !== undefined) query = query.limit(question.limit)
  const rows = await query.execute() as R[]
  return question.reverse ? rows.reverse() : rows
}

export const findRow = <K extends keyof NetworkTables>(tx: NetworkTx, table: K, id: string): Promise<NetworkTables[K] | undefined> =>
  (tx.db as unknown as import('kysely').Kysely<any>).selectFrom(table).selectAll().where('id', '=', id).executeTakeFirst() as Promise<NetworkTables[K] | undefined>

/** Changes a row as it was read; whoever was quicker makes the transaction run again. */
export async function amend<R extends Standard>(tx: NetworkTx, table: keyof NetworkTables, row: R, set: Partial<R>): Promise<R> {
  const next = { ...set, revision: row.revision + 1, updatedAt: now() }
  if (await change(tx, table, { id: row.id, revision: row.revision }, next) === 0) throw lostRace()
  return { ...row, ...next }
}

/** A change below a resource (a tag, a rule, a subnet) counts as one of the resource. */
export const touch = <R extends Standard>(tx: NetworkTx, table: keyof NetworkTables, row: R): Promise<R> => amend(tx, table, row, {})

const counter = (projectId: string, resource: QuotaResource): string => `network/${projectId}/${resource}`

/** Counts one more of a project's; 409 when its quota is reached. `free`: counted, never refused. */
export async function claim(tx: NetworkTx, deps: Pick<Deps, 'config'>, projectId: string, resource: QuotaResource, how: 'limited' | 'free' = 'limited'): Promise<void> {
  if (projectId === '') return
  let limit = -1
  if (how === 'limited') {
    const own = await tx.db.selectFrom('networkQuotas').select('amount').where('projectId', '=', projectId).where('resource', '=', resource).executeTakeFirst()
    limit = own ? Number(own.amount) : deps.config.quotas[resource]
  }
  if (!await count(tx, counter(projectId, resource), 1, limit)) throw quotaExceeded([resource])
}
export const release = async (tx: NetworkTx, projectId: string, resource: QuotaResource, by = 1): Promise<void> => {
  if (projectId !== '') await count(tx, counter(projectId, resource), -by)
}

export async function tagsOf(tx: NetworkTx, ids: string[]): Promise<Map<string, string[]>> {
  const tags = new Map<string, string[]>()
  if (ids.length === 0) return tags
  for (const { resourceId, tag } of await tx.db.selectFrom('networkTags').selectAll().where('resourceId', 'in', padded(ids)).orderBy('tag').execute()) {
    const known = tags.get(resourceId)
    if (known) known.push(tag)
    else tags.set(resourceId, [tag])
  }
  return tags
}
export const addTags = (tx: NetworkTx, resourceId: string, tags: string[]): Promise<void> => insert(tx, 'networkTags', tags.map((tag) => ({ resourceId, tag })), lostRace)
export const removeTags = async (tx: NetworkTx, resourceId: string, tag?: string): Promise<void> => {
  let query = tx.db.deleteFrom('networkTags').where('resourceId', '=', resourceId)
  if (tag !== undefined) query = query.where('tag', '=', tag)
  await query.execute()
}

const split = (values: string[]): string[] => few('tags', [...new Set(values.flatMap((v) => v.split(',')))]).filter((v) => v !== '')
const tagged = (eb: Eb, tag: string | string[]): Condition => eb('id', 'in', eb.selectFrom('networkTags').select('resourceId').where('tag', 'in', [tag].flat()))
const allOf = (eb: Eb, values: string[]): Condition => eb.and(split(values).map((tag) => tagged(eb, tag)))
/** Filters by tag, for every collection that has tags. */
export const tagFilters: Filters = {
  'tags': allOf,
  'tags-any': (eb, values) => tagged(eb, split(values)),
  'not-tags': (eb, values) => eb.not(allOf(eb, values)),
  'not-tags-any': (eb, values) => eb.not(tagged(eb, split(values))),
}

export const ownedBy: Visible = (eb, projectId) => eb('projectId', '=', projectId)
/** The project's own, and what others have on the project's networks. */
export const ownedOrOnOwnNetwork: Visible = (eb, projectId) =>
  eb.or([eb('projectId', '=', projectId), eb('networkId', 'in', eb.selectFrom('networkNetworks').select('id').where('projectId', '=', projectId))])

/** Reports on resources: by id, then host. */
export async function reportsOn(tx: NetworkTx, kind: ReportKind, ids: string[]): Promise<Map<string, Map<string, { state: string, detail: string }>>> {
  const reports = new Map<string, Map<string, { state: string, detail: string }>>()
  if (ids.length === 0) return reports
  for (const row of await tx.db.selectFrom('networkReports').select(['resourceId', 'host', 'state', 'detail']).where('kind', '=', kind).where('resourceId', 'in', padded(ids)).execute()) {
    let known = reports.get(row.resourceId)
    if (!known) reports.set(row.resourceId, known = new Map())
    known.set(row.host, { state: row.state, detail: row.detail })
  }
  return reports
}

/** Forgets what hosts said of something that is gone, and its tags. */
export async function forget(tx: NetworkTx, kind: ReportKind | undefined, id: string): Promise<void> {
  await removeTags(tx, id)
  if (kind) await tx.db.deleteFrom('networkReports').where('kind', '=', kind).where('resourceId', '=', id).execute()
}
