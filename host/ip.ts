// Links, addresses, routes and rules of the kernel, through iproute2: questions as JSON, changes as one batch.
import { exec, execJson } from '#host/exec.ts'

/** One link as `ip -json link` tells it; only what we look at. */
export interface IpLink {
  ifname: string
  ifalias?: string
  address: string
  mtu: number
  master?: string
  flags: string[]
}

/** A link as `ip -json address` tells it: without its alias, with its addresses. */
export interface IpAddresses extends Omit<IpLink, 'ifalias'> {
  addr_info: { family: 'inet' | 'inet6', local: string, prefixlen: number, scope: string }[]
}

export interface IpRoute { dst: string, gateway?: string, dev?: string, table?: string, flags: string[] }
export interface IpRule { priority: number, src?: string, srclen?: number, table?: string }

const into = (netns: string | undefined): string[] => netns === undefined ? [] : ['-n', netns]

/** Runs `ip` subcommands, one a line, in a namespace, in one process; stops at the first that fails. No lines: no process. */
export async function ipBatch(netns: string | undefined, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await exec('ip', [...into(netns), '-batch', '-'], { stdin: `${lines.join('\n')}\n` })
}

/** Every link of a namespace. */
export const ipLinks = async (netns: string | undefined): Promise<IpLink[]> =>
  ((await execJson<Partial<IpLink>[]>('ip', [...into(netns), '-json', 'link', 'show'])) ?? []).filter((link): link is IpLink => link.ifname !== undefined)

/** Every link of a namespace with its addresses. */
export const ipAddresses = async (netns: string | undefined): Promise<IpAddresses[]> =>
  ((await execJson<Partial<IpAddresses>[]>('ip', [...into(netns), '-json', 'address', 'show'])) ?? []).filter((link): link is IpAddresses => link.ifname !== undefined)

/** Routes of one protocol number in all tables, both families. */
export const ipRoutes = async (netns: string | undefined, protocol: number): Promise<IpRoute[]> => {
  const ask = (family: string) => execJson<IpRoute[]>('ip', [...into(netns), family, '-json', '-N', 'route', 'show', 'table', 'all', 'proto', String(protocol)])
  return (await Promise.all([ask('-4'), ask('-6')])).flatMap(routes => routes ?? [])
}

/** Policy rules (IPv4). */
export const ipRules = async (netns: string | undefined): Promise<IpRule[]> => (await execJson<IpRule[]>('ip', [...into(netns), '-json', '-N', 'rule', 'show'])) ?? []
