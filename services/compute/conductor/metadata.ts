// Gathers what a guest may know about itself; see ../metadata/tree.ts for its shape.
import type { Context } from '#base/context.ts'
import { isFault } from '#base/errors.ts'
import type { ServiceClient } from '#kit/http/client.ts'
import type { Store } from '#kit/store/store.ts'
import { defaultZone, zonesOfHosts } from '../availability-zones/store.ts'
import type { GuestMetadata } from '../bus.ts'
import { configDriveFiles, metadataTree, type GuestFacts, type GuestNic } from '../metadata/tree.ts'
import type { ComputeTables, FlavorSnapshot, ServerRow } from '../schema.ts'
import * as servers from './servers-store.ts'

export interface MetadataDeps { store: Store<ComputeTables>, network: ServiceClient }

/** As network's describePorts answers; only what guests are told. */
interface Described {
  id: string
  network_id: string
  mac_address: string
  mtu: number
  fixed_ips: { ip_address: string, subnet_id: string, subnet?: { cidr: string, ip_version: 4 | 6, gateway_ip: string | null, enable_dhcp: boolean, dns_nameservers: string[], host_routes: { destination: string, nexthop: string }[] } }[]
  floating_ips: { floating_ip_address: string }[]
  security_groups: { name: string }[]
}

async function factsOf(ctx: Context, row: ServerRow, { store, network }: MetadataDeps): Promise<GuestFacts> {
  const [{ body: { ports } }, own] = await Promise.all([
    network.call<{ ports: Described[] }>(ctx, 'describePorts', { body: { device_ids: [row.id] } }),
    store.read(async (tx) => ({ nics: await servers.nics(tx, row.id), metadata: await servers.metadataOf(tx, row.id), userData: await servers.userDataOf(tx, row.id), zone: row.host === null ? undefined : (await zonesOfHosts(tx)).get(row.host) })),
  ])
  const byId = new Map(ports.map((port) => [port.id, port]))
  // Planned cards come first, in their order; what was plugged in later follows.
  const order = [...own.nics.map((nic) => nic.portId), ...ports.map((port) => port.id)]
  const nics = [...new Set(order)].flatMap((portId): GuestNic[] => {
    const port = byId.get(portId)
    if (!port) return []
    const tag = own.nics.find((nic) => nic.portId === portId)?.tag
    return [{
      portId, mac: port.mac_address, mtu: port.mtu, networkId: port.network_id, ...(tag && { tag }), floatingIps: port.floating_ips.map((f) => f.floating_ip_address),
      subnets: port.fixed_ips.flatMap(({ ip_address, subnet_id, subnet }) => (subnet ? [{
        id: subnet_id, ipVersion: subnet.ip_version, address: ip_address, cidr: subnet.cidr, ...(subnet.gateway_ip && { gatewayIp: subnet.gateway_ip }), dhcp: subnet.enable_dhcp,
        dnsServers: subnet.dns_nameservers, hostRoutes: subnet.host_routes,
      }] : [])),
    }]
  })
  return {
    id: row.id, ec2Id: `i-${row.number.toString(16).padStart(8, '0')}`, name: row.name, hostname: row.hostname, projectId: row.projectId, launchIndex: row.launchIndex, reservationId: row.reservationId,
    availabilityZone: own.zone ?? defaultZone, flavorName: (JSON.parse(row.flavor) as FlavorSnapshot).name, imageId: row.imageId, metadata: own.metadata,
    ...(row.keyName !== null && row.keyData !== null && { key: { name: row.keyName, publicKey: row.keyData } }), ...(own.userData !== undefined && { userData: own.userData }),
    securityGroups: [...new Set(ports.flatMap((port) => port.security_groups.map((g) => g.name)))], nics,
  }
}

/** The files of a server's config drive, base64 by path; what users want in the guest is only there, as in nova. */
export async function configDrive(ctx: Context, row: ServerRow, deps: MetadataDeps): Promise<Record<string, string>> {
  const [facts, files] = await Promise.all([factsOf(ctx, row, deps), deps.store.read((tx) => servers.filesOf(tx, row.id))])
  return configDriveFiles({ ...facts, files })
}

/** What the guest behind a port may know; null when there is none. */
export async function forPort(ctx: Context, portId: string, deps: MetadataDeps): Promise<GuestMetadata | null> {
  const row = await deps.store.read(async (tx) => {
    const serverId = await servers.serverOfPort(tx, portId)
    return serverId === undefined ? undefined : servers.get(tx, serverId)
  }).catch((error: unknown) => { if (!isFault(error, 'notFound')) throw error })
  return row ? { files: metadataTree(await factsOf(ctx, row, deps)) } : null
}

