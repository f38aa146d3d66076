// https://docs.openstack.org/api-ref/compute/#hypervisors-os-hypervisors
import { badRequest, notFound, notImplemented } from '#base/errors.ts'
import { isUuid } from '#base/ids.ts'
import type { Urls, Version } from '#kit/http/operation.ts'
import { exactSince, since, Type, type Static } from '#kit/http/schema.ts'
import { operation, type ComputeTx, type Deps } from '../deps.ts'
import { pageLinks, pageSize } from '../links.ts'
import { admin } from '../policy.ts'
import * as hypervisors from './store.ts'
import type { Hypervisor } from './store.ts'
import { figures, hypervisorView, uptimeOf } from './view.ts'

const withServers = since('2.53', Type.Optional(Type.Boolean()))
const query = exactSince('2.53', {
  limit: since('2.33', Type.Optional(Type.Integer({ minimum: 0 }))), marker: since('2.33', Type.Optional(Type.String())),
  hypervisor_hostname_pattern: since('2.53', Type.Optional(Type.String())), with_servers: withServers,
})

const missing = (id: string): Error => notFound(`Hypervisor with ID '${id.slice(0, 60)}' could not be found.`)
const noMatch = (pattern: string): Error => notFound(`No hypervisor matching '${pattern.slice(0, 60)}' could be found.`)

/** A uuid from 2.53 on, a number before. */
async function byId(tx: ComputeTx, id: string, version: Version): Promise<Hypervisor | undefined> {
  const uuids = version.since('2.53')
  if (uuids && !isUuid(id)) throw badRequest(`Invalid uuid ${id.slice(0, 60)}`)
  return (await hypervisors.list(tx)).find((h) => (uuids ? h.id === id : String(h.number) === id))
}
const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps, { version }: { version: Version }) => store.read((tx) => byId(tx, params.hypervisor_id!, version)),
  sees: admin, owner: () => ({}), missing: (params: Record<string, string>) => missing(params.hypervisor_id!),
}

async function page(q: Static<typeof query>, version: Version, urls: Urls, detailed: boolean, { store }: Deps): Promise<object> {
  const named = version.since('2.53'), pattern = named ? q.hypervisor_hostname_pattern : undefined, paged = version.since('2.33') && pattern === undefined
  if (pattern !== undefined && (q.limit !== undefined || q.marker !== undefined)) throw badRequest('Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.')
  const { rows, servers } = await store.read(async (tx) => {
    const marker = paged && q.marker !== undefined ? await byId(tx, q.marker, version) : undefined
    if (paged && q.marker !== undefined && !marker) throw badRequest(`marker [${q.marker.slice(0, 60)}] not found`)
    const rows = await hypervisors.list(tx, { hostContains: pattern, ...(paged && { limit: pageSize(q.limit) }), markerNumber: marker?.number })
    return { rows, servers: named && q.with_servers ? await hypervisors.serversOf(tx, rows.map((r) => r.host)) : undefined }
  })
  if (pattern !== undefined && rows.length === 0) throw noMatch(pattern)
  const last = rows.at(-1)
  return {
    hypervisors: rows.map(hypervisorView(version, detailed, servers)),
    ...(paged && pageLinks('hypervisors_links', urls, detailed ? 'os-hypervisors/detail' : 'os-hypervisors', rows.length, q.limit, last && (named ? last.id : String(last.number)))),
  }
}

export const listHypervisors = operation({
  name: 'listHypervisors', method: 'GET', path: '/os-hypervisors', summary: 'List hypervisors.', access: admin, query,
  faults: ['notFound'],
  handle: (_ctx, { query, version, urls }, deps) => page(query, version, urls, false, deps),
})
export const listHypervisorsDetailed = operation({
  name: 'listHypervisorsDetailed', method: 'GET', path: '/os-hypervisors/detail', summary: 'List hypervisors with details.', access: admin, query,
  faults: ['notFound'],
  handle: (_ctx, { query, version, urls }, deps) => page(query, version, urls, true, deps),
})

export const showHypervisor = operation({
  name: 'showHypervisor', method: 'GET', path: '/os-hypervisors/{hypervisor_id}', summary: 'Show a hypervisor.', access: admin, target, query: exactSince('2.53', { with_servers: withServers }),
  async handle(_ctx, { target, query, version }, { store }) {
    const servers = query.with_servers && version.since('2.53') ? await store.read((tx) => hypervisors.serversOf(tx, [target.host])) : undefined
    return { hypervisor: hypervisorView(version, true, servers)(target) }
  },
})

export const showHypervisorUptime = operation({
  name: 'showHypervisorUptime', method: 'GET', path: '/os-hypervisors/{hypervisor_id}/uptime', summary: 'Show how long a hypervisor has been up.', access: admin, target, until: '2.87',
  async handle(_ctx, { target, version }) {
    const uptime = uptimeOf(target.bootedAt)
    if (uptime === null) throw notImplemented('The requested functionality is not supported.')
    return { hypervisor: { ...hypervisorView(version, false)(target), uptime } }
  },
})

export const showHypervisorStatistics = operation({
  name: 'showHypervisorStatistics', method: 'GET', path: '/os-hypervisors/statistics', summary: 'Show the sums over all hypervisors.', access: admin, until: '2.87',
  async handle(_ctx, _input, { store }) {
    const rows = (await store.read((tx) => hypervisors.list(tx))).filter((h) => h.service.disabled === 0), sums: Record<string, number> = { count: rows.length }
    for (const name of Object.keys(figures({ used: {} } as Hypervisor))) sums[name] = rows.reduce((sum, h) => sum + figures(h)[name]!, 0)
    return { hypervisor_statistics: sums }
  },
})

async function search(pattern: string, { store }: Deps): Promise<Hypervisor[]> {
  const rows = await store.read((tx) => hypervisors.list(tx, { hostContains: pattern }))
  if (rows.length === 0) throw noMatch(pattern)
  return rows
}

export const searchHypervisors = operation({
  name: 'searchHypervisors', method: 'GET', path: '/os-hypervisors/{hypervisor_id}/search', summary: 'Find hypervisors by a part of their name.', access: admin, until: '2.52',
  faults: ['notFound'],
  handle: async (_ctx, { params, version }, deps) => ({ hypervisors: (await search(params.hypervisor_id!, deps)).map(hypervisorView(version, false)) }),
})
export const listHypervisorServers = operation({
  name: 'listHypervisorServers', method: 'GET', path: '/os-hypervisors/{hypervisor_id}/servers', summary: 'List the servers on hypervisors found by a part of their name.', access: admin, until: '2.52',
  faults: ['notFound'],
  async handle(_ctx, { params, version }, deps) {
    const rows = await search(params.hypervisor_id!, deps)
    return { hypervisors: rows.map(hypervisorView(version, false, await deps.store.read((tx) => hypervisors.serversOf(tx, rows.map((r) => r.host))))) }
  },
})
