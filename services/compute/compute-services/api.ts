// https://docs.openstack.org/api-ref/compute/#compute-services-os-services
import { badRequest, conflict, notFound } from '#base/errors.ts'
import { isUuid } from '#base/ids.ts'
import { exact, exactSince, oneOf, Type } from '#kit/http/schema.ts'
import { flag } from '#kit/store/store.ts'
import { zonesOfHosts } from '../availability-zones/store.ts'
import { leaveAggregates } from '../aggregates/store.ts'
import { operation, type ComputeTx, type Deps } from '../deps.ts'
import { boolean, hostName, isTrue } from '../fields.ts'
import { admin } from '../policy.ts'
import type { ServiceRow } from '../schema.ts'
import * as services from './store.ts'
import { serviceView } from './view.ts'

const onlyCompute = (binary: string): void => {
  if (binary !== 'nova-compute') throw badRequest(`Updating a ${binary.slice(0, 60)} service is not supported. Only nova-compute services can be updated.`)
}
const reasonField = Type.String({ minLength: 1, maxLength: 255, pattern: '^[^\\p{C}\\p{Zl}\\p{Zp}]*$' })

export const listComputeServices = operation({
  name: 'listComputeServices', method: 'GET', path: '/os-services', summary: 'List the processes of compute.', access: admin,
  query: exactSince('2.75', { host: Type.Optional(Type.String()), binary: Type.Optional(Type.String()) }),
  async handle(_ctx, { query, version }, { store }) {
    const { rows, zones } = await store.read(async (tx) => ({ rows: await services.allServices(tx, { host: query.host || undefined, binary: query.binary || undefined }), zones: await zonesOfHosts(tx) }))
    return { services: rows.map(serviceView(version, zones)) }
  },
})

async function byId(tx: ComputeTx, id: string, uuids: boolean): Promise<ServiceRow> {
  if (uuids && !isUuid(id)) throw badRequest(`Invalid uuid ${id.slice(0, 60)}`)
  const row = uuids ? await services.findService(tx, id) : (await services.allServices(tx)).find((s) => String(s.number) === id)
  if (!row) throw notFound(`Compute service ${id.slice(0, 60)} could not be found.`)
  return row
}

export const updateComputeService = operation({
  name: 'updateComputeService', method: 'PUT', path: '/os-services/{service_id}', summary: 'Enable, disable or force down a host.', access: admin, since: '2.53',
  body: exact({ status: Type.Optional(oneOf('enabled', 'disabled')), disabled_reason: Type.Optional(reasonField), forced_down: Type.Optional(boolean) }),
  faults: ['notFound'],
  async handle(_ctx, { params, body, version }, { store }) {
    if (body.status === undefined && body.forced_down === undefined) throw badRequest(body.disabled_reason === undefined ? 'No updates were requested. Fields \'status\' or \'forced_down\' should be specified.' : 'Specifying disabled_reason requires that status is disabled.')
    if (body.disabled_reason !== undefined && body.status !== 'disabled') throw badRequest('Specifying disabled_reason requires that status is disabled.')
    return store.tx(async (tx) => {
      const row = await byId(tx, params.service_id!, true)
      onlyCompute(row.binary)
      if (body.status !== undefined) await services.setService(tx, row.id, { disabled: flag(body.status === 'disabled'), disabledReason: body.disabled_reason ?? null })
      if (body.forced_down !== undefined) await services.setService(tx, row.id, { forcedDown: flag(isTrue(body.forced_down)) })
      return { service: serviceView(version, await zonesOfHosts(tx))((await services.findService(tx, row.id))!) }
    })
  },
})

/** Before 2.53 the action stood in the path and the host in the body. */
async function onHost(host: string, binary: string, set: Parameters<typeof services.setService>[2], { store }: Deps): Promise<void> {
  onlyCompute(binary)
  await store.tx(async (tx) => {
    const [row] = await services.allServices(tx, { host, binary })
    if (!row) throw notFound(`Could not find binary ${binary} on host ${host}.`)
    await services.setService(tx, row.id, set)
  })
}
const where = { host: hostName, binary: Type.String({ minLength: 1, maxLength: 255 }) }

export const enableComputeService = operation({
  name: 'enableComputeService', method: 'PUT', path: '/os-services/enable', summary: 'Enable a host.', access: admin, until: '2.52', body: exact(where),
  faults: ['notFound'],
  async handle(_ctx, { body: { host, binary } }, deps) {
    await onHost(host, binary, { disabled: 0, disabledReason: null }, deps)
    return { service: { host, binary, status: 'enabled' } }
  },
})
export const disableComputeService = operation({
  name: 'disableComputeService', method: 'PUT', path: '/os-services/disable', summary: 'Disable a host.', access: admin, until: '2.52', body: exact(where),
  faults: ['notFound'],
  async handle(_ctx, { body: { host, binary } }, deps) {
    await onHost(host, binary, { disabled: 1, disabledReason: null }, deps)
    return { service: { host, binary, status: 'disabled' } }
  },
})
export const disableComputeServiceReason = operation({
  name: 'disableComputeServiceReason', method: 'PUT', path: '/os-services/disable-log-reason', summary: 'Disable a host and say why.', access: admin, until: '2.52', body: exact({ ...where, disabled_reason: reasonField }),
  faults: ['notFound'],
  async handle(_ctx, { body: { host, binary, disabled_reason } }, deps) {
    await onHost(host, binary, { disabled: 1, disabledReason: disabled_reason }, deps)
    return { service: { host, binary, status: 'disabled', disabled_reason } }
  },
})
export const forceDownComputeService = operation({
  name: 'forceDownComputeService', method: 'PUT', path: '/os-services/force-down', summary: 'Say that a host is down, or no longer.', access: admin, since: '2.11', until: '2.52', body: exact({ ...where, forced_down: boolean }),
  faults: ['notFound'],
  async handle(_ctx, { body: { host, binary, forced_down } }, deps) {
    await onHost(host, binary, { forcedDown: flag(isTrue(forced_down)) }, deps)
    return { service: { host, binary, forced_down: isTrue(forced_down) } }
  },
})

export const deleteComputeService = operation({
  name: 'deleteComputeService', method: 'DELETE', path: '/os-services/{service_id}', summary: 'Forget a host that is gone for good.', access: admin, status: 204,
  faults: ['badRequest', 'notFound', 'conflict'],
  handle: (_ctx, { params, version }, { store }) => store.tx(async (tx) => {
    const row = await byId(tx, params.service_id!, version.since('2.53'))
    if (row.binary === 'nova-compute') {
      if (await services.serversOnHost(tx, row.host)) throw conflict('Unable to delete compute service that is hosting instances. Migrate or delete the instances first.')
      await leaveAggregates(tx, row.host)
    }
    await services.removeService(tx, row)
  }),
})
