// Addresses as this driver needs them: checked (nothing unchecked ever reaches a rule's text), in one spelling, merged.
import ipaddr from 'ipaddr.js'
import { badRequest } from '#base/errors.ts'

export interface Cidr { version: 4 | 6, base: bigint, length: number }

const bits = (version: 4 | 6): number => version === 4 ? 32 : 128

const toNumber = (bytes: number[]): bigint => bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n)

const format = (version: 4 | 6, value: bigint): string => {
  const bytes: number[] = []
  for (let shift = bits(version) - 8; shift >= 0; shift -= 8) bytes.push(Number(value >> BigInt(shift) & 0xffn))
  return ipaddr.fromByteArray(bytes).toString()
}

/** "10.0.0.7/24" or "10.0.0.7" as numbers, host bits cleared. Throws badRequest. */
export const parseCidr = (text: string): Cidr => {
  const [address = '', suffix] = text.split('/')
  const length = suffix === undefined ? undefined : /^\d{1,3}$/.test(suffix) ? Number(suffix) : NaN
  const isV6 = address.includes(':') && !address.includes('%') && ipaddr.IPv6.isValid(address)
  if (!isV6 && !ipaddr.IPv4.isValidFourPartDecimal(address)) throw badRequest(`Not an address: ${text}`)
  const parsed = ipaddr.parse(address)
  const version = parsed.kind() === 'ipv4' ? 4 : 6
  const kept = length ?? bits(version)
  if (!(kept <= bits(version))) throw badRequest(`Not an address range: ${text}`)
  const free = BigInt(bits(version) - kept)
  return { version, base: toNumber(parsed.toByteArray()) >> free << free, length: kept }
}

/** An address (a prefix length after it is dropped) in its canonical spelling. */
export const plainAddress = (text: string): string => formatCidr(parseCidr(text.split('/')[0] as string))

export const versionOf = (text: string): 4 | 6 => parseCidr(text).version
export const lastOf = (cidr: Cidr): bigint => cidr.base | (1n << BigInt(bits(cidr.version) - cidr.length)) - 1n

/** The canonical text; a range of one address without its length. */
export const formatCidr = ({ version, base, length }: Cidr): string => length === bits(version) ? format(version, base) : `${format(version, base)}/${length}`

/** "10.0.0.7/24" keeps its host bits: an interface's address with its prefix length. */
export const interfaceAddress = (text: string): string => {
  const { version, length } = parseCidr(text)
  return `${plainAddress(text)}/${text.includes('/') ? length : bits(version)}`
}

/** Several ranges of one family, sorted, with those that lie inside another left out: a set of intervals refuses overlaps. */
export const mergeCidrs = (texts: readonly string[]): Cidr[] => {
  const merged: Cidr[] = []
  for (const cidr of texts.map(parseCidr).sort((a, b) => a.base < b.base ? -1 : a.base > b.base ? 1 : a.length - b.length)) {
    const before = merged.at(-1)
    if (before === undefined || lastOf(before) < cidr.base) merged.push(cidr)
  }
  return merged
}

/** True if two ranges have an address in common. */
export const overlaps = (one: string, other: string): boolean => {
  const a = parseCidr(one), b = parseCidr(other)
  return a.version === b.version && a.base <= lastOf(b) && b.base <= lastOf(a)
}

/** A MAC in lower case with colons. Throws badRequest; group addresses are no card's. */
export const plainMac = (text: string): string => {
  const mac = text.toLowerCase()
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) || (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1) throw badRequest(`Not a card's MAC address: ${text}`)
  return mac
}

/** The link-local IPv6 address a card makes from its MAC (EUI-64). */
export const linkLocalOf = (mac: string): string => {
  const [a, b, c, d, e, f] = plainMac(mac).split(':').map(part => Number.parseInt(part, 16)) as [number, number, number, number, number, number]
  return ipaddr.fromByteArray([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f]).toString()
}
