// Spans in the database: kept seven days, bounded per resource by the size of its work.
import { newId } from '#base/ids.ts'
import { after } from '#base/time.ts'
import { insert } from '#kit/store/rows.ts'
import type { Migration } from '#kit/store/migrations.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import type { SpanRecord } from './tracer.ts'

export const traceMigrations: Migration[] = [{
  id: '0001-spans',
  changes: [{ createTable: 'kitSpans', as: {
    columns: { id: 'id', traceId: 'id', resourceId: 'text', name: 'text', startedAtMs: 'int', tookMs: 'real', failed: 'text?', tenant: 'long?', admin: 'long?', keptUntil: 'at' },
    primaryKey: ['id'], indexes: [['resourceId', 'startedAtMs'], ['keptUntil']],
  } }],
}]

const KEPT_MS = 7 * 24 * 3600 * 1000
const longest = 4000

/** A span's details as they are kept. Those that are too long (a request's path is as long as its sender likes) lose the ends of their texts, and what is no simple value. */
function kept(details: object | undefined): string | null {
  if (!details) return null
  const whole = JSON.stringify(details)
  if (whole.length <= longest) return whole
  const short = Object.entries(details).map(([name, value]) => [name, typeof value === 'string' && value.length > 200 ? `${value.slice(0, 200)}…` : typeof value === 'object' ? '…' : value])
  return JSON.stringify(Object.fromEntries(short))
}

/** Writes finished spans. */
export const keepSpans = (store: Store, spans: SpanRecord[]): Promise<void> =>
  store.tx((tx) => insert(tx, 'kitSpans', spans.map((s) => ({
    id: newId(), traceId: s.traceId, resourceId: s.resourceId ?? '', name: s.name, startedAtMs: s.startedAt, tookMs: s.tookMs, failed: s.failed ?? null,
    tenant: kept(s.tenant), admin: kept(s.admin), keptUntil: after(KEPT_MS),
  }))))

/** Everything recorded for the resources, oldest first. */
export async function spansOf(tx: Tx, resourceIds: string[]): Promise<SpanRecord[]> {
  const rows = await tx.db.selectFrom('kitSpans').selectAll().where('resourceId', 'in', resourceIds).orderBy('startedAtMs').limit(2000).execute()
  return rows.map((r) => ({
    traceId: r.traceId, resourceId: r.resourceId, name: r.name, startedAt: Number(r.startedAtMs), tookMs: r.tookMs, ...(r.failed && { failed: r.failed }),
    ...(r.tenant && { tenant: JSON.parse(r.tenant) as object }), ...(r.admin && { admin: JSON.parse(r.admin) as object }),
  }))
}

/** Removes what is older than its time, a bounded number at once. */
export const pruneSpans = (store: Store, nowAt: string): Promise<void> =>
  store.tx(async (tx) => { await tx.db.deleteFrom('kitSpans').where('keptUntil', '<', nowAt).execute() })
