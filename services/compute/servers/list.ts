// Pages of servers: the database filters what it can, the rest is looked at here, batch by batch, until the page is full.
import { badRequest } from '#base/errors.ts'
import type { Context } from '#base/context.ts'
import { operation, type Deps } from '../deps.ts'
import { hostView } from '../hosts/store.ts'
import { pageLinks, pageSize } from '../links.ts'
import { listQuery, questionOf, type Question } from './filters.ts'
import { fitting } from './judge.ts'
import { describePorts, type DescribedPort } from './networks.ts'
import * as policy from './policy.ts'
import * as servers from './store.ts'
import type { Server } from './store.ts'
import { serverBrief, serverView, zoneOf } from './view.ts'

const batch = 1000
/** With filters that only this process can judge, so many rows are looked at for one page; more narrow filters reach further. */
const mostLooked = 50_000

async function page(ctx: Context, q: Question, size: number, marker: string | undefined, { store, network }: Deps): Promise<{ rows: Server[], ports: Map<string, DescribedPort[]> }> {
  const rows: Server[] = [], ports = new Map<string, DescribedPort[]>()
  let after = marker === undefined ? undefined : await store.read((tx) => servers.findEver(tx, marker))
  if (marker !== undefined && (!after || (q.filter.projectId !== undefined && after.projectId !== q.filter.projectId))) throw badRequest(`marker [${marker.slice(0, 60)}] not found`)
  if (q.nothing || size === 0) return { rows, ports }
  const judged = q.tests.length > 0 || q.addresses.length > 0 || q.zone !== undefined
  const zones = q.zone === undefined ? undefined : (await store.read((tx) => hostView(tx, false))).zones
  for (let looked = 0; looked < mostLooked;) {
    const wanted = judged ? Math.max(batch, size) : size
    const found = await store.read((tx) => servers.list(tx, q.filter, q.sort, wanted, after))
    let fit = judged ? await fitting(found, (s) => q.tests.every((test) => test(s)) && (zones === undefined || zoneOf(s, zones) === q.zone)) : found
    if (q.addresses.length > 0 && fit.length > 0) {
      for (const [id, cards] of await describePorts(ctx, network, fit.map((s) => s.id))) ports.set(id, cards)
      fit = await fitting(fit, (s) => q.addresses.every(({ version, matches }) => (ports.get(s.id) ?? []).some((card) =>
        [...card.fixed_ips.map((ip) => ip.ip_address), ...card.floating_ips.map((ip) => ip.floating_ip_address)].some((a) => a.includes(':') === (version === 6) && matches(a)))))
    }
    rows.push(...fit.slice(0, size - rows.length))
    looked += found.length
    after = found.at(-1)
    if (found.length < wanted || rows.length >= size) break
  }
  return { rows, ports }
}

export const listServers = operation({
  name: 'listServers', method: 'GET', path: '/servers', summary: 'List servers.', access: policy.list, query: listQuery,
  async handle(ctx, { query, version, urls }, deps) {
    const { rows } = await page(ctx, questionOf(query, ctx.actor, version), pageSize(query.limit), query.marker as string | undefined, deps)
    return { servers: rows.map(serverBrief(urls)), ...pageLinks('servers_links', urls, 'servers', rows.length, query.limit, rows.at(-1)?.id) }
  },
})

export const listServersDetailed = operation({
  name: 'listServersDetailed', method: 'GET', path: '/servers/detail', summary: 'List servers with details.', access: policy.list, query: listQuery,
  async handle(ctx, { query, version, urls }, deps) {
    const { rows, ports: seen } = await page(ctx, questionOf(query, ctx.actor, version), pageSize(query.limit), query.marker as string | undefined, deps)
    const around = await aroundOf(ctx, rows, version, deps, seen)
    return { servers: rows.map(serverView(ctx.actor, version, urls, around)), ...pageLinks('servers_links', urls, 'servers/detail', rows.length, query.limit, rows.at(-1)?.id) }
  },
})

/** Everything a view of these servers needs, in a constant number of queries. */
export async function aroundOf(ctx: Context, rows: Server[], version: { since(v: string): boolean }, { store, network }: Pick<Deps, 'store' | 'network'>, known: Map<string, DescribedPort[]> = new Map()) {
  const privileged = policy.seeHost.allows(ctx.actor)
  const [{ details, hosts }, ports] = await Promise.all([
    store.read(async (tx) => ({
      details: await servers.details(tx, rows, { tags: version.since('2.26'), userData: privileged && version.since('2.3') }),
      hosts: await hostView(tx, privileged && version.since('2.16')),
    })),
    known.size > 0 ? known : describePorts(ctx, network, rows.filter((s) => s.deletedAt === null).map((s) => s.id)),
  ])
  return { details, hosts, ports }
}
