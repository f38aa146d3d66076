// Addresses of the far side: of whom we ask, and of who asks us.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type Address = ipaddr.IPv4 | ipaddr.IPv6

/** The address itself; an IPv4 one that is only written as an IPv6 one becomes what it is. Undefined for what is none. */
export function parseAddress(text: string): Address | undefined {
  if (isIP(text) === 0) return undefined
  const address = ipaddr.parse(text)
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

/** Who counts as one sender: an IPv4 address, or an IPv6 network of 64 bits, for a customer has at least that, however it is written. What is no address stands for itself. */
export function sourceOf(remoteAddress: string): string {
  const address = parseAddress(remoteAddress)
  if (address instanceof ipaddr.IPv6) return address.parts.slice(0, 4).map((part) => part.toString(16)).join(':')
  return address?.toString() ?? remoteAddress
}
