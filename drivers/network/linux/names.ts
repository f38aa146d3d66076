// The names of all objects on the host. A link's name has at most 15 characters; those inside our namespaces need no cloud id.
// First letters inside the cloud's namespace mean something to the rules: t = a guest's port, d = DHCP, r = router, v = overlay, x = the way out.
import { createHash } from 'node:crypto'
import { badRequest } from '#base/errors.ts'
import { isUuid } from '#base/ids.ts'

/** Twelve digits that tell objects apart: a UUID's own first ones (so that people recognise it), or a hash. */
export const short = (id: string): string => (isUuid(id) ? id.replaceAll('-', '') : createHash('sha256').update(id).digest('hex')).slice(0, 12).toLowerCase()

/** Ids become file and namespace names, so they may hold nothing that means something there. */
export const checkId = (id: string): string => {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(id)) throw badRequest(`Not an id: ${id}`)
  return id
}

export const bridgeName = (networkId: string): string => `b${short(networkId)}`
export const overlayName = (networkId: string): string => `v${short(networkId)}`
/** The cloud's end of the pair to the host. */
export const uplinkName = (networkId: string): string => `x${short(networkId)}`
/** Our end of a port: in the bridge. */
export const portName = (portId: string): string => `t${short(portId)}`
/** The other end if ports are veth pairs. */
export const portPeerName = (portId: string): string => `g${short(portId)}`
export const dhcpPlugName = (networkId: string): string => `d${short(networkId)}`
export const routerPlugName = (portId: string): string => `r${short(portId)}`

/** Inside a DHCP namespace. */
export const dhcpLink = 'lan'
/** Inside DHCP and router namespaces: the way to the metadata namespace. */
export const metadataLink = 'metadata'
/** Inside a router's namespace. */
export const routerLink = (portId: string): string => `i${short(portId)}`
export const gatewayLink = (portId: string): string => `w${short(portId)}`
/** Inside the metadata namespace. */
export const metadataPlugName = (index: number): string => `m${index}`

/** The namespaces of one cloud, and its links in the host's own. */
export const cloudNames = (cloudId: string) => {
  const cloud = `pl${cloudId}`
  const idOf = (prefix: string) => (name: string): string | undefined => name.startsWith(prefix) ? name.slice(prefix.length) : undefined
  return {
    cloud,
    metadata: `${cloud}-metadata`,
    dhcp: (networkId: string): string => `${cloud}-dhcp-${networkId}`,
    router: (routerId: string): string => `${cloud}-router-${routerId}`,
    networkOfDhcp: idOf(`${cloud}-dhcp-`),
    routerOf: idOf(`${cloud}-router-`),
    isOurs: (netns: string): boolean => netns === cloud || netns.startsWith(`${cloud}-`),
    /** The host's end of an external network. */
    hostLink: (networkId: string): string => `${cloud}x${short(networkId).slice(0, 8)}`,
    hostLinkPrefix: `${cloud}x`,
    /** An overlay device while it is on its way into the cloud's namespace. */
    hostOverlay: (networkId: string): string => `${cloud}v${short(networkId).slice(0, 8)}`,
  }
}
export type CloudNames = ReturnType<typeof cloudNames>
