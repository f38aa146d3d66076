// What servers need of the network service: the cards of a new server, and what became of them.
import { badRequest, conflict, forbidden, isFault } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import type { Actor, Context } from '#base/context.ts'
import type { ServiceClient } from '#kit/http/client.ts'
import { admin } from '../policy.ts'
import { asCompute } from '../conductor/commands.ts'
import type { PlannedNic } from '../lifecycle.ts'

/** As on the wire of neutron; only what is read here. */
interface Network { id: string, name: string, subnets: string[], shared: boolean, 'router:external': boolean, project_id: string, admin_state_up: boolean }
interface Port { id: string, network_id: string, device_id: string, fixed_ips: { ip_address: string, subnet_id: string }[], mac_address: string, status: string }

/** One entry of a request's `networks`. */
export interface AskedNetwork { uuid?: string, port?: string | null, fixed_ip?: string, tag?: string }

const usable = (actor: Actor, network: Network): boolean => network['router:external'] !== true || network.shared || admin.allows(actor)

/** The only network this project could mean, if there is just one. */
async function onlyNetwork(ctx: Context, client: ServiceClient): Promise<Network | undefined> {
  const { body } = await client.call<{ networks: Network[] }>(ctx, 'listNetworks', { query: {} })
  // Administrators see every project's networks; meant are the project's own and the shared ones. External ones only when shared.
  const candidates = body.networks.filter((n) => (n.project_id === ctx.actor.projectId && !n['router:external']) || n.shared)
  if (candidates.length > 1) throw conflict('Multiple possible networks found, use a Network ID to be more specific.')
  return candidates[0]
}

/** The cards as the build saga wants them. `asked`: as in the request, undefined when it says nothing. `count`: how many servers are made of it. */
export async function planNics(ctx: Context, client: ServiceClient, asked: 'auto' | 'none' | AskedNetwork[] | undefined, count: number): Promise<PlannedNic[]> {
  if (asked === 'none') return []
  if (asked === undefined || asked === 'auto' || asked.length === 0) {
    const network = await onlyNetwork(ctx, client)
    if (network && network.subnets.length > 0) return [{ portId: newId(), networkId: network.id, userOwned: false }]
    if (asked === 'auto') throw badRequest(`Unable to automatically allocate a network for project ${ctx.actor.projectId}`)
    if (network) throw badRequest(`Network ${network.id} requires a subnet in order to boot instances on.`)
    return []
  }
  checkShape(asked, count)
  const ports = new Map(await Promise.all(asked.flatMap((entry) => (entry.port ? [portOf(ctx, client, entry.port).then((port) => [entry.port, port] as const)] : []))))
  const networks = await networksOf(ctx, client, asked, [...ports.values()].map((port) => port.network_id))
  const outside = (network: Network): Error => forbidden(`It is not allowed to create an interface on external network ${network.id}`)
  return asked.map((entry): PlannedNic => {
    const tag = entry.tag === undefined ? {} : { tag: entry.tag }, port = ports.get(entry.port)
    if (port) {
      // Anybody may have made it there.
      const on = networks.get(port.network_id)
      if (on && !usable(ctx.actor, on)) throw outside(on)
      return { portId: port.id, networkId: port.network_id, userOwned: true, ...tag }
    }
    const network = networks.get(entry.uuid!)
    if (!network) throw badRequest(`Network ${entry.uuid} could not be found.`)
    // The network service would refuse the port, and the server be one in ERROR.
    if (entry.fixed_ip !== undefined && network.project_id !== ctx.actor.projectId && !admin.allows(ctx.actor)) throw forbidden(`Fixed IP addresses on network ${network.id} are chosen by whose network it is.`)
    if (!usable(ctx.actor, network)) throw outside(network)
    if (network.subnets.length === 0) throw badRequest(`Network ${network.id} requires a subnet in order to boot instances on.`)
    return { portId: newId(), networkId: network.id, userOwned: false, ...(entry.fixed_ip !== undefined && { fixedIp: entry.fixed_ip }), ...tag }
  })
}

function checkShape(asked: AskedNetwork[], count: number): void {
  const ports = new Set<string>(), tags = new Set<string>()
  for (const entry of asked) {
    if (entry.port) {
      if (ports.has(entry.port)) throw badRequest(`Port ID '${entry.port}' was specified twice: you cannot attach a port multiple times.`)
      if (entry.fixed_ip !== undefined) throw badRequest(`Specified Fixed IP '${entry.fixed_ip}' cannot be used with port '${entry.port}': the two cannot be specified together.`)
      if (count > 1) throw badRequest('Failed to launch instances: Unable to launch multiple instances with a single configured port ID. Please launch your instance one by one with different ports.')
      ports.add(entry.port)
    } else if (entry.uuid === undefined) {
      throw badRequest('Bad network format: missing \'uuid\'')
    } else if (!/^[0-9a-f-]{32,36}$/i.test(entry.uuid)) {
      throw badRequest(`Bad networks format: network uuid is not in proper format (${entry.uuid.slice(0, 60)})`)
    } else if (entry.fixed_ip !== undefined && count > 1) {
      throw badRequest('Failed to launch instances: max_count cannot be greater than 1 if an fixed_ip is specified.')
    }
    if (entry.tag !== undefined && tags.has(entry.tag)) throw badRequest(`Bad networks format: the tag '${entry.tag}' was specified twice`)
    if (entry.tag !== undefined) tags.add(entry.tag)
  }
}

async function networksOf(ctx: Context, client: ServiceClient, asked: AskedNetwork[], ofPorts: string[]): Promise<Map<string, Network>> {
  const ids = [...new Set([...asked.flatMap((entry) => (entry.port || !entry.uuid ? [] : [entry.uuid])), ...ofPorts])]
  if (ids.length === 0) return new Map()
  const { body } = await client.call<{ networks: Network[] }>(ctx, 'listNetworks', { query: { id: ids } })
  const found = new Map(body.networks.map((n) => [n.id, n]))
  await taken(ctx, client, asked)
  return found
}

/** An address asked for may have been taken: better said now than as a server in ERROR. The port's creation is what decides. */
async function taken(ctx: Context, client: ServiceClient, asked: AskedNetwork[]): Promise<void> {
  for (const entry of asked) {
    if (entry.fixed_ip === undefined || entry.port) continue
    const { body } = await client.call<{ ports: Port[] }>(ctx, 'listPorts', { query: { network_id: [entry.uuid!], fixed_ips: [`ip_address=${entry.fixed_ip}`] } })
    if (body.ports.length > 0) throw badRequest(`Fixed IP address ${entry.fixed_ip} is already in use on instance ${body.ports[0]!.device_id}.`)
  }
}

/** A port the user brought: his, free, and with an address. */
export async function portOf(ctx: Context, client: ServiceClient, portId: string): Promise<Port> {
  const { body } = await client.call<{ port: Port }>(ctx, 'showPort', { params: { port_id: portId } }).catch((error: unknown) => {
    throw isFault(error, 'notFound') ? badRequest(`Port id ${portId} could not be found.`) : error
  })
  if (body.port.device_id) throw conflict(`Port ${portId} is still in use.`)
  if (body.port.fixed_ips.length === 0) throw badRequest(`Port ${portId} requires a FixedIP in order to be used.`)
  return body.port
}

/** Ids of the security groups that were asked for by name or id. 'default' needs no id: it is what new ports get anyway. */
export async function securityGroupIds(ctx: Context, client: ServiceClient, asked: string[]): Promise<string[]> {
  const wanted = [...new Set(asked)]
  if (wanted.length === 0 || (wanted.length === 1 && wanted[0] === 'default')) return []
  const { body } = await client.call<{ security_groups: { id: string, name: string }[] }>(ctx, 'listSecurityGroups', { query: { project_id: [ctx.actor.projectId], fields: ['id', 'name'] } })
  return wanted.map((text) => {
    const byId = body.security_groups.find((g) => g.id === text)
    if (byId) return byId.id
    const named = body.security_groups.filter((g) => g.name === text)
    if (named.length > 1) throw conflict(`Multiple security groups found matching '${text}'. Use an ID to be more specific.`)
    if (!named[0]) throw badRequest(`Security group ${text} not found for project ${ctx.actor.projectId}.`)
    return named[0].id
  })
}

/** A server's card as the network service describes it. */
export interface DescribedPort {
  id: string
  device_id: string
  network_id: string
  network_name: string
  mac_address: string
  status: string
  fixed_ips: { ip_address: string, subnet_id: string }[]
  floating_ips: { id: string, floating_ip_address: string, fixed_ip_address: string }[]
  security_groups: { id: string, name: string }[]
}

/** The cards of many servers at once, by server; in the order they were made. */
export async function describePorts(ctx: Context, client: ServiceClient, serverIds: string[]): Promise<Map<string, DescribedPort[]>> {
  const of = new Map<string, DescribedPort[]>()
  if (serverIds.length === 0) return of
  const { body } = await client.call<{ ports: DescribedPort[] }>(asCompute(ctx), 'describePorts', { body: { device_ids: serverIds } })
  for (const port of body.ports) { const list = of.get(port.device_id); if (list) list.push(port); else of.set(port.device_id, [port]) }
  return of
}
