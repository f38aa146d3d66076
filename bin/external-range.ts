// Which addresses the seeded external network gets: a range this host does not use.
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { Usage } from './usage.ts'

/** The network's range, and the host's own address on it. */
export interface External { cidr: string, gateway: string }

/** The first range of 172.24.N.0/24 that none of the host's interfaces or routes touches: clouds side by side each have their own way out. */
export async function freeRange(taken?: Range[]): Promise<External> {
  taken ??= [...interfaceRanges(), ...await routeRanges()]
  for (let n = 4; n < 255; n++) {
    const from = 172 * 2 ** 24 + 24 * 2 ** 16 + n * 256
    if (!taken.some((range) => range.from <= from + 255 && from <= range.to)) return { cidr: `172.24.${n}.0/24`, gateway: `172.24.${n}.1` }
  }
  throw new Usage('no range of 172.24.0.0/16 is free on this host; name one with --external-cidr')
}

/** Addresses as numbers, both ends included. */
export interface Range { from: number, to: number }
export const rangeOf = (address: number, mask: number): Range => ({ from: (address & mask) >>> 0, to: (address | ~mask) >>> 0 })
export const numberOf = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

const interfaceRanges = (): Range[] => Object.values(networkInterfaces()).flatMap((list) => (list ?? []).filter((a) => a.family === 'IPv4').map((a) => rangeOf(numberOf(a.address), numberOf(a.netmask))))

/** Routes of the kernel's table, the default ones left out. */
async function routeRanges(): Promise<Range[]> {
  const text = await readFile('/proc/net/route', 'utf8').catch(() => '')
  const number = (hex: string): number => Buffer.from(hex, 'hex').readUInt32LE()
  return text.split('\n').slice(1).map((line) => line.split('\t')).filter((f) => f.length > 7 && f[7] !== '00000000').map((f) => rangeOf(number(f[1]!), number(f[7]!)))
}

/** A range somebody asked for; the gateway is its first address. */
export function externalOf(cidr: string): External {
  const [, address, bits] = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr) ?? []
  const length = Number(bits), number = address === undefined ? NaN : numberOf(address)
  if (!address || address.split('.').some((part) => Number(part) > 255) || length < 8 || length > 29 || number % 2 ** (32 - length) !== 0) throw new Usage(`--external-cidr ${cidr} is no IPv4 network such as 172.24.4.0/24`, 2)
  const first = number + 1
  return { cidr, gateway: [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.') }
}
