// https://docs.openstack.org/api-ref/compute/#usage-reports-os-simple-tenant-usage
import { badRequest, notFound } from '#base/errors.ts'
import { microsNoZone, now } from '#base/time.ts'
import type { Urls, Version } from '#kit/http/operation.ts'
import { exactSince, since, Type, type Static } from '#kit/http/schema.ts'
import { operation, type Deps } from '../deps.ts'
import { asInstant } from '../fields.ts'
import { pageLinks, pageSize } from '../links.ts'
import { admin, authenticated, reader } from '../policy.ts'
import type { FlavorSnapshot, ServerRow } from '../schema.ts'
import * as usage from './store.ts'

const query = exactSince('2.75', {
  start: Type.Optional(Type.String()), end: Type.Optional(Type.String()), detailed: Type.Optional(Type.String()),
  limit: since('2.40', Type.Optional(Type.Integer({ minimum: 0 }))), marker: since('2.40', Type.Optional(Type.String())),
})

interface Asked extends usage.Period { start: string, stop: string }
/** To the microsecond as it was asked: clients compare it. Reckoned is in milliseconds. */
const spelled = (at: string, asked = ''): string => `${at.slice(0, 20)}${(/[.,](\d+)/.exec(asked)?.[1] ?? at.slice(20, 23)).slice(0, 6).padEnd(6, '0')}`

function periodOf(q: Static<typeof query>): Asked {
  const at = now(), startAt = q.start ? asInstant('start', q.start.replace(' ', 'T')) : at, stopAt = q.end ? asInstant('end', q.end.replace(' ', 'T')) : at
  if (startAt >= stopAt) throw badRequest('Invalid start time. The start time cannot occur after the end time.')
  return { startAt, start: spelled(startAt, q.start), ...(stopAt < at ? { stopAt, stop: spelled(stopAt, q.end) } : { stopAt: at, stop: spelled(at) }) }
}

const later = (a: string, b: string): string => (a > b ? a : b)
const earlier = (a: string, b: string): string => (a < b ? a : b)
const hours = (fromAt: string, toAt: string): number => Math.max(0, Date.parse(toAt) - Date.parse(fromAt)) / 3_600_000

function serverUsage(row: ServerRow, { startAt, stopAt }: usage.Period) {
  const flavor = JSON.parse(row.flavor) as FlavorSnapshot, launchedAt = row.launchedAt!, endedAt = row.terminatedAt
  return {
    instance_id: row.id, name: row.name, tenant_id: row.projectId, flavor: flavor.name, memory_mb: flavor.memoryMib, local_gb: flavor.diskGib + flavor.ephemeralGib, vcpus: flavor.vcpus,
    started_at: microsNoZone(launchedAt), ended_at: endedAt && microsNoZone(endedAt), state: endedAt === null ? row.vmState : 'terminated',
    uptime: Math.floor(hours(launchedAt, endedAt ?? now()) * 3600), hours: hours(later(launchedAt, startAt), earlier(endedAt ?? stopAt, stopAt)),
  }
}

function summaries(rows: ServerRow[], period: Asked, detailed: boolean): object[] {
  const byProject = Map.groupBy(rows.map((row) => serverUsage(row, period)), (u) => u.tenant_id)
  return [...byProject].map(([tenant_id, used]) => {
    const sum = (of: (u: (typeof used)[number]) => number): number => used.reduce((total, u) => total + of(u), 0)
    return {
      tenant_id, start: period.start, stop: period.stop, total_hours: sum((u) => u.hours), total_vcpus_usage: sum((u) => u.vcpus * u.hours),
      total_memory_mb_usage: sum((u) => u.memory_mb * u.hours), total_local_gb_usage: sum((u) => u.local_gb * u.hours), ...(detailed && { server_usages: used }),
    }
  })
}

async function report(q: Static<typeof query>, version: Version, urls: Urls, projectId: string | undefined, { store }: Deps): Promise<{ all: object[], links: object, none: boolean }> {
  const period = periodOf(q), paged = version.since('2.40')
  const rows = await store.read(async (tx) => {
    if (paged && q.marker !== undefined && !await usage.exists(tx, q.marker)) throw badRequest(`Marker ${q.marker.slice(0, 60)} could not be found.`)
    return usage.ranDuring(tx, period, projectId, pageSize(paged ? q.limit : undefined), paged ? q.marker : undefined)
  })
  const [key, path] = projectId === undefined ? ['tenant_usages_links', 'os-simple-tenant-usage'] as const : ['tenant_usage_links', `os-simple-tenant-usage/${projectId}`] as const
  return { all: summaries(rows, period, projectId !== undefined || q.detailed === '1'), links: paged ? pageLinks(key, urls, path, rows.length, q.limit, rows.at(-1)?.id) : {}, none: rows.length === 0 }
}

export const listUsages = operation({
  name: 'listUsages', method: 'GET', path: '/os-simple-tenant-usage', summary: 'Report what all projects used within a period.', access: admin, query,
  async handle(_ctx, { query, version, urls }, deps) {
    const { all, links } = await report(query, version, urls, undefined, deps)
    return { tenant_usages: all, ...links }
  },
})

const target = { load: async (_ctx: unknown, params: Record<string, string>) => ({ projectId: params.tenant_id! }), sees: authenticated, missing: () => notFound('The resource could not be found.') }

export const showUsage = operation({
  name: 'showUsage', method: 'GET', path: '/os-simple-tenant-usage/{tenant_id}', summary: 'Report what one project used within a period.', access: reader, target, query,
  async handle(_ctx, { target, query, version, urls }, deps) {
    const { all, links } = await report(query, version, urls, target.projectId, deps)
    return { tenant_usage: all[0] ?? {}, ...links }
  },
})
