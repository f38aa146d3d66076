// For compute and its agents: ports made, bound and described under ids that the caller minted. Every call may be repeated.
import { conflict } from '#base/errors.ts'
import { lenient, Type } from '#kit/http/schema.ts'
import { service } from '#kit/policy/rules.ts'
import { operation, type NetworkTx } from '../deps.ts'
import { networkNotFound, portInUse, portNotFound } from '../faults.ts'
import type { WantedIp } from '../ipam/allocate.ts'
import { holder } from '../ipam/store.ts'
import { address, boolean, ip, mac, shapes } from '../resource/kinds.ts'
import { networkTarget } from '../networks/noun.ts'
import * as networks from '../networks/store.ts'
import { bindTo } from '../ports/bind.ts'
import { checkRights } from '../ports/check.ts'
import { makePort } from '../ports/make.ts'
import { removePort as takePort } from '../ports/remove.ts'
import * as ports from '../ports/store.ts'
import { isAdmin } from '../policy.ts'
import { racing } from '../resource/race.ts'
import { claim } from '../resource/store.ts'
import { describe } from './describe.ts'
import { ofDevices } from './store.ts'

const uuid = Type.Unsafe<string>(shapes.uuid)
const one = async (tx: NetworkTx, id: string): Promise<{ port: object }> => {
  const row = await ports.find(tx, id)
  if (!row) throw portNotFound(id)
  return { port: (await describe(tx, [row]))[0]! }
}

export const ensurePort = operation({
  name: 'ensurePort', method: 'PUT', path: '/internal/ports/{port_id}', summary: 'Make a port under this id, unless it stands.', access: service, internal: true,
  body: Type.Object({ port: Type.Object({
    project_id: Type.String({ minLength: 1, maxLength: 64 }), network_id: uuid, name: Type.Optional(Type.String({ maxLength: 255 })),
    fixed_ips: Type.Optional(Type.Array(Type.Object({ subnet_id: Type.Optional(uuid), ip_address: Type.Optional(Type.String({ maxLength: 64 })) }, { additionalProperties: false }))),
    security_groups: Type.Optional(Type.Array(uuid)), device_id: Type.String({ maxLength: 255 }), device_owner: Type.Optional(Type.String({ maxLength: 255 })),
    mac_address: Type.Optional(mac.schema), dns_name: Type.Optional(Type.String({ maxLength: 255 })), admin_state_up: Type.Optional(boolean.schema),
  }, { additionalProperties: false }) }, { additionalProperties: false }),
  faults: ['notFound', 'conflict', 'overQuota'],
  async handle(ctx, { params, body }, deps) {
    const asked = (body as { port: Record<string, any> }).port, id = params.port_id!
    return racing(deps, async (tx, attempt) => {
      const standing = await ports.find(tx, id)
      if (standing) {
        if (standing.networkId !== asked.network_id || standing.projectId !== asked.project_id || standing.deviceId !== asked.device_id) throw conflict(`Port ${id} stands already, and is another one.`, { type: 'PortInUse' })
        return one(tx, id)
      }
      const on = await networks.find(tx, asked.network_id as string)
      // Whether the user may use it was decided by the network being visible when the request was made; sharing may have ended since.
      if (!on || (on.projectId !== asked.project_id && on.shared === 0 && on.external === 0 && !isAdmin(ctx.actor))) throw networkNotFound(asked.network_id as string)
      // Asked for through compute, an address is no less somebody else's to choose: on a shared network it may be the gateway's, which none of our ports holds.
      checkRights('create', { fixed_ips: asked.fixed_ips as WantedIp[] | undefined }, { ...ctx.actor, projectId: asked.project_id as string }, networkTarget(on))
      await claim(tx, deps, asked.project_id as string, 'port')
      const wishes = (asked.fixed_ips as WantedIp[] | undefined)?.map((w) => ({ ...w, ...(w.ip_address !== undefined && { ip_address: address(w.ip_address) }) }))
      await makePort(tx, deps, on, {
        id, projectId: asked.project_id as string, name: asked.name, fixedIps: wishes, groupIds: asked.security_groups, ownGroupsOnly: true, deviceId: asked.device_id, deviceOwner: asked.device_owner ?? 'compute:nova',
        macAddress: asked.mac_address === undefined ? undefined : mac.convert!(asked.mac_address), dnsName: asked.dns_name, adminStateUp: asked.admin_state_up === undefined ? undefined : boolean.convert!(asked.admin_state_up),
      }, attempt)
      return one(tx, id)
    })
  },
})

export const removePort = operation({
  name: 'removePort', method: 'DELETE', path: '/internal/ports/{port_id}', summary: 'Remove a port; not there is success.', access: service, internal: true, status: 204,
  faults: ['conflict'],
  async handle(ctx, { params }, deps) {
    await racing(deps, async (tx) => {
      const row = await ports.find(tx, params.port_id!)
      if (row) await takePort(tx, ctx, deps, row)
    })
  },
})

export const bindPort = operation({
  name: 'bindPort', method: 'PUT', path: '/internal/ports/{port_id}/binding', summary: 'Bind a port to a host and a device.', access: service, internal: true,
  body: Type.Object({
    host: Type.String({ minLength: 1, maxLength: 255 }), device_id: Type.String({ minLength: 1, maxLength: 255 }), device_owner: Type.Optional(Type.String({ maxLength: 255 })),
    /** Given: the port must belong to this project. */
    project_id: Type.Optional(Type.String()), dns_name: Type.Optional(Type.String({ maxLength: 255 })),
  }, { additionalProperties: false }),
  faults: ['notFound', 'conflict'],
  async handle(ctx, { params, body }, deps) {
    return racing(deps, async (tx) => {
      const row = await ports.find(tx, params.port_id!)
      if (!row || (body.project_id !== undefined && row.projectId !== body.project_id)) throw portNotFound(params.port_id!)
      if ((row.deviceId !== '' && row.deviceId !== body.device_id) || row.deviceOwner.startsWith('network:')) throw portInUse(row.id, row.networkId, row.deviceId)
      if (row.host !== body.host || row.deviceId !== body.device_id) {
        await bindTo(tx, ctx, deps, row, body.host, { deviceId: body.device_id, deviceOwner: body.device_owner ?? 'compute:nova', ...(body.dns_name !== undefined && row.dnsName === '' && { dnsName: body.dns_name }) })
      }
      return one(tx, row.id)
    })
  },
})

export const unbindPort = operation({
  name: 'unbindPort', method: 'DELETE', path: '/internal/ports/{port_id}/binding', summary: 'Take a port off its host, and off its device unless that is kept. Another device\'s port is left alone.', access: service, internal: true, status: 204,
  body: Type.Object({ device_id: Type.String({ minLength: 1, maxLength: 255 }), keep_device: Type.Optional(Type.Boolean()) }, { additionalProperties: false }),
  faults: ['conflict'],
  async handle(ctx, { params, body }, deps) {
    await racing(deps, async (tx) => {
      const row = await ports.find(tx, params.port_id!)
      if (!row || row.deviceId !== body.device_id) return
      if (row.host === '' && body.keep_device) return
      await bindTo(tx, ctx, deps, row, '', body.keep_device ? {} : { deviceId: '', deviceOwner: '' })
    })
  },
})

export const describePorts = operation({
  name: 'describePorts', method: 'POST', path: '/internal/ports/describe', summary: 'Everything about the cards of these servers, or these ports.', access: service, internal: true, status: 200,
  body: Type.Object({ device_ids: Type.Optional(Type.Array(Type.String())), port_ids: Type.Optional(Type.Array(Type.String())) }, { additionalProperties: false }),
  maxBodyBytes: 8 * 1024 ** 2,
  handle: (_ctx, { body }, { store }) => store.read(async (tx) => ({
    ports: await describe(tx, [...await ofDevices(tx, body.device_ids ?? []), ...await ports.byIds(tx, body.port_ids ?? [])]),
  })),
})

export const metadataOwner = operation({
  name: 'metadataOwner', method: 'GET', path: '/internal/metadata-owner', summary: 'Whose card asks for metadata: by port, or by network and address.', access: service, internal: true,
  query: lenient({ port_id: Type.Optional(Type.String()), network_id: Type.Optional(Type.String()), ip: Type.Optional(Type.String()) }),
  faults: ['notFound'],
  handle: (_ctx, { query }, { store }) => store.read(async (tx) => {
    const id = query.port_id ?? (query.network_id !== undefined && query.ip !== undefined ? (await holder(tx, query.network_id, ip.convert!(query.ip)))?.portId : undefined)
    const row = id === undefined ? undefined : await ports.find(tx, id)
    if (!row || row.host === '' || !row.deviceOwner.startsWith('compute:')) throw portNotFound(id ?? 'unknown')
    return { port_id: row.id, network_id: row.networkId, device_id: row.deviceId, project_id: row.projectId, host: row.host }
  }),
})
