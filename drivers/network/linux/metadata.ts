// How a guest's request to 169.254.169.254 reaches us and says whose it is, without a proxy process.
//
// One namespace for the cloud holds the listening socket. Every DHCP namespace and every router has a link to it, and rewrites the request's destination
// (not its source) to an address that stands for the network it came from: 240.128.0.0 + the network's number. What arrives is then exact: the connection's own
// local address names the network, its remote address the guest on it, and overlapping tenant networks differ by the first. Replies find their way by a rule
// for their
// source address. Nothing is kept per port, and a restart needs to know nothing. 240.0.0.0/4 is nobody's, so no tenant's addresses can collide with it.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '#base/context.ts'
import { ipBatch, ipLinks, ipRules } from '#host/ip.ts'
import { ensureNetns, listenIn, sysctl } from '#host/netns.ts'
import { nftApply, nftReplaceTable } from '#host/nft.ts'
import type { MetadataHandler } from '#drivers/network/contract.ts'
import { quietNamespace } from './cloud.ts'
import { convergeInterior } from './interior.ts'
import type { WantedLink, WantedRoute } from './interior.ts'
import { metadataLink, metadataPlugName } from './names.ts'
import type { CloudNames } from './names.ts'
import type { State } from './state.ts'

const targetRange = '240.128.0.0/9'
/** The far end's address in each namespace with a link; the links are pairs, so it may be the same everywhere. */
const farEnd = '240.0.0.1'

/** The address that stands for a network (or a router's interface) with this number. */
export const metadataTarget = (index: number): string => `240.128.${index >> 8}.${index & 0xff}`
const indexOfTarget = (address: string): number | undefined => {
  const match = /^(?:::ffff:)?240\.128\.(\d+)\.(\d+)$/.exec(address)
  return match ? Number(match[1]) << 8 | Number(match[2]) : undefined
}

/** Routing tables 1–255 have meanings of the kernel's. */
const tableOf = (index: number): number => 1000 + index

/** What a namespace with a link to the metadata namespace needs inside. */
export const metadataRoutes = (indexes: readonly number[]): { link: WantedLink, routes: WantedRoute[] } => ({
  link: { name: metadataLink, up: true, addresses: [`${farEnd}/32`] },
  routes: indexes.map(index => ({ to: metadataTarget(index), dev: metadataLink, version: 4 })),
})

/** Makes the namespace that listens: all target addresses are its own, and nothing but port 80 is open. */
export async function ensureMetadataNamespace(names: CloudNames): Promise<void> {
  await ensureNetns(names.metadata)
  await sysctl(names.metadata, { ...quietNamespace, 'net/ipv6/conf/all/disable_ipv6': 1, 'net/ipv6/conf/default/disable_ipv6': 1 })
  await nftApply(names.metadata, nftReplaceTable('inet', 'pileus', `
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    tcp dport 80 accept
  }`))
  await ipBatch(names.metadata, ['link set dev lo up', `route replace local ${targetRange} dev lo`])
}

/** Links `netns` to the metadata namespace by the pair numbered `plugIndex`, over which the addresses of `indexes` are reached. */
export async function ensureMetadataLink(names: CloudNames, netns: string, plugIndex: number, indexes: readonly number[]): Promise<void> {
  const plug = metadataPlugName(plugIndex)
  const [inside, outside, rules] = await Promise.all([ipLinks(netns), ipLinks(names.metadata), ipRules(names.metadata)])
  const stands = inside.some(link => link.ifname === metadataLink) && outside.some(link => link.ifname === plug && link.ifalias === netns)
  if (!stands) {
    await ipBatch(netns, inside.some(link => link.ifname === metadataLink) ? [`link delete dev ${metadataLink}`] : [])
    // Deleting one end of a pair deletes the other, so what is there now is asked again.
    const left = (await ipLinks(names.metadata)).some(link => link.ifname === plug)
    await ipBatch(names.metadata, [
      ...left ? [`link delete dev ${plug}`] : [],
      `link add dev ${plug} type veth peer name ${metadataLink} netns ${netns}`, `link set dev ${plug} alias ${netns}`,
    ])
  }
  const tables = new Set(indexes.map(index => String(tableOf(index))))
  await ipBatch(names.metadata, [...indexes].filter(index => !rules.some(rule => rule.table === String(tableOf(index)) && rule.src === metadataTarget(index)))
    .map(index => `rule add from ${metadataTarget(index)} lookup ${tableOf(index)} priority 100`))
  await convergeInterior(names.metadata, [{ name: plug, up: true }],
    [...tables].map(table => ({ to: 'default', via: farEnd, dev: plug, onlink: true, table: Number(table), version: 4 })), dev => dev === plug)
}

/** Takes away what leads to these numbers; the pair goes with the first of its ends. */
export async function removeMetadataLink(names: CloudNames, plugIndex: number | undefined, indexes: readonly number[]): Promise<void> {
  const [links, rules] = await Promise.all([ipLinks(names.metadata), ipRules(names.metadata)])
  await ipBatch(names.metadata, [
    ...rules.filter(rule => indexes.some(index => rule.table === String(tableOf(index)))).map(rule => `rule delete from ${rule.src} lookup ${rule.table} priority ${rule.priority}`),
    ...plugIndex !== undefined && links.some(link => link.ifname === metadataPlugName(plugIndex)) ? [`link delete dev ${metadataPlugName(plugIndex)}`] : [],
  ])
}

/** Answers guests until the returned function is called. A request whose sender is not one of the network's ports gets a 404 here. */
export async function serveMetadata(names: CloudNames, state: State, log: Log, handler: MetadataHandler): Promise<() => Promise<void>> {
  const answer = (req: IncomingMessage, res: ServerResponse): void => {
    const index = indexOfTarget(req.socket.localAddress ?? '')
    const networkId = index === undefined ? undefined : state.networkOfIndex(index)
    const address = (req.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    const portId = networkId === undefined ? undefined : state.portOfAddress(networkId, address)
    if (networkId === undefined || portId === undefined) {
      log.warn({ networkId, address }, 'a metadata request from an address that is no port\'s')
      res.writeHead(404, { 'content-type': 'text/plain' }).end('404 Not Found')
      return
    }
    handler({ networkId, portId }, req, res)
  }
  const listener = await listenIn(names.metadata, '0.0.0.0', 80)
  // A guest may open connections and say nothing: bounded in number and time.
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 }, answer)
  server.maxConnections = 4096
  server.listen(listener)
  return () => new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
