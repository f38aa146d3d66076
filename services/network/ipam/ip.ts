// Addresses and prefixes as numbers: parsing, canonical text, sort keys, pools. Pure.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type IpVersion = 4 | 6
export interface Ip { version: IpVersion, value: bigint }
export interface Cidr { version: IpVersion, first: bigint, last: bigint, prefix: number }
export interface Range { first: bigint, last: bigint }

export const bitsOf = (version: IpVersion): number => (version === 4 ? 32 : 128)

/** An address in strict text form; undefined for anything else (leading zeros, zones, prefixes). */
export function parseIp(text: string): Ip | undefined {
  const version = isIP(text)
  if (version === 0 || text.includes('%')) return undefined
  const bytes = ipaddr.parse(text).toByteArray()
  return { version: version as IpVersion, value: bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n) }
}

/** Canonical text: dotted quad, or RFC 5952. */
export function formatIp({ version, value }: Ip): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.')
  const bytes = Array.from({ length: 16 }, (_byte, i) => Number((value >> BigInt(8 * (15 - i))) & 255n))
  return (ipaddr.fromByteArray(bytes) as ipaddr.IPv6).toRFC5952String()
}

/** `10.0.0.5/24` is read as its network, as neutron's validator does not; `exact` refuses host bits. A bare address is a whole prefix. */
export function parseCidr(text: string): (Cidr & { hostBits: boolean }) | undefined {
  const slash = text.indexOf('/')
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash))
  if (!ip) return undefined
  const bits = bitsOf(ip.version)
  const length = slash < 0 ? String(bits) : text.slice(slash + 1)
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return undefined
  const size = 1n << BigInt(bits - Number(length))
  const first = (ip.value / size) * size
  return { version: ip.version, first, last: first + size - 1n, prefix: Number(length), hostBits: first !== ip.value }
}

export const formatCidr = (cidr: Cidr): string => `${formatIp({ version: cidr.version, value: cidr.first })}/${cidr.prefix}`

/** Fixed width, so that text order is number order. */
export const keyOf = (ip: Ip): string => ip.value.toString(16).padStart(ip.version === 4 ? 8 : 32, '0')
export const fromKey = (key: string): Ip => ({ version: key.length === 8 ? 4 : 6, value: BigInt(`0x${key}`) })

export const within = (range: Range, value: bigint): boolean => value >= range.first && value <= range.last
export const overlap = (a: Range & { version?: IpVersion }, b: Range & { version?: IpVersion }): boolean => a.version === b.version && a.first <= b.last && b.first <= a.last

/** Addresses a host can have: without network and broadcast in IPv4, without the subnet router's in IPv6. Point-to-point and host prefixes give all. */
export function usable(cidr: Cidr): Range {
  if (cidr.version === 4) return cidr.prefix >= 31 ? cidr : { first: cidr.first + 1n, last: cidr.last - 1n }
  return cidr.prefix >= 127 ? cidr : { first: cidr.first + 1n, last: cidr.last }
}

/** The pools a subnet gets when none are asked for: everything usable but the gateway. */
export function defaultPools(cidr: Cidr, gateway: bigint | undefined): Range[] {
  const all = usable(cidr)
  if (gateway === undefined || !within(all, gateway)) return [all]
  return [{ first: all.first, last: gateway - 1n }, { first: gateway + 1n, last: all.last }].filter((r) => r.first <= r.last)
}

/** The address a card takes by itself in a /64 (SLAAC). */
export function eui64(cidr: Cidr, mac: string): Ip {
  const [a, b, c, d, e, f] = mac.split(':').map((part) => BigInt(`0x${part}`)) as [bigint, bigint, bigint, bigint, bigint, bigint]
  const id = [a ^ 2n, b, c, 0xffn, 0xfen, d, e, f].reduce((sum, byte) => sum * 256n + byte, 0n)
  return { version: 6, value: ((cidr.first >> 64n) << 64n) | id }
}
