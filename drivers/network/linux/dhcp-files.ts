// dnsmasq's files for one network. Pure text. The configuration is read at its start; options, hosts and names again at every SIGHUP.
import { join } from 'node:path'
import { badRequest } from '#base/errors.ts'
import type { NetworkSpec, SubnetSpec } from '#drivers/network/contract.ts'
import { formatCidr, parseCidr, plainAddress, plainMac } from './addresses.ts'
import { dhcpLink } from './names.ts'

export const metadataAddress = '169.254.169.254'
const leaseSeconds = 86_400

export interface DhcpPaths { folder: string, config: string, pid: string, options: string, hosts: string, names: string, log: string }
/** All networks' files. */
export const dhcpFolder = (runDir: string): string => join(runDir, 'dhcp')

export const dhcpPaths = (runDir: string, networkId: string): DhcpPaths => {
  const folder = join(dhcpFolder(runDir), networkId)
  const at = (name: string): string => join(folder, name)
  return { folder, config: at('dnsmasq.conf'), pid: at('dnsmasq.pid'), options: at('options'), hosts: at('hosts'), names: at('names'), log: at('dnsmasq.log') }
}

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i
const isDomain = (text: string): boolean => text.length < 254 && text.split('.').every(part => label.test(part))
/** OpenStack's default domain is written with its last dot in places. */
const domainOf = (spec: NetworkSpec): string | undefined => {
  const domain = spec.dnsDomain.replace(/\.$/, '')
  if (domain !== '' && !isDomain(domain)) throw badRequest(`Not a domain name: ${spec.dnsDomain}`)
  return domain || undefined
}

const tag = (spec: NetworkSpec, subnet: SubnetSpec): string => `subnet${spec.subnets.indexOf(subnet)}`
const mask = (length: number): string => formatCidr({ version: 4, base: (0xffff_ffffn << BigInt(32 - length)) & 0xffff_ffffn, length: 32 })

/** The subnets served, each with the DHCP port's address on it (DHCP needs one there to know the subnet). */
export const servedSubnets = (spec: NetworkSpec): { subnet: SubnetSpec, serverIp: string }[] => spec.subnets.filter(s => s.dhcp).flatMap(subnet => {
  const ip = spec.dhcpPort?.ips.find(ip => ip.subnetId === subnet.id)
  return ip === undefined ? [] : [{ subnet, serverIp: plainAddress(ip.address) }]
})

/** True if the network is to have a DHCP namespace at all. */
export const wantsDhcp = (spec: NetworkSpec): boolean => servedSubnets(spec).length > 0

/** Changes when and only when dnsmasq must start anew. */
export const dhcpConfig = (spec: NetworkSpec, paths: DhcpPaths, account: string, dnsServers: readonly string[]): string => {
  const domain = domainOf(spec)
  const served = servedSubnets(spec)
  return [
    `interface=${dhcpLink}`, 'bind-dynamic', 'except-interface=lo', 'no-hosts', 'no-resolv', 'no-poll',
    `user=${account}`, `pid-file=${paths.pid}`, `log-facility=${paths.log}`, 'quiet-dhcp', 'quiet-dhcp6', 'quiet-ra',
    // Every lease is given in the hosts file: nothing to remember, nobody else to serve. Two cards of one host name get both.
    'dhcp-authoritative', 'leasefile-ro', 'dhcp-ignore-names', `dhcp-lease-max=${1 << 16}`,
    `dhcp-hostsfile=${paths.hosts}`, `dhcp-optsfile=${paths.options}`, `addn-hosts=${paths.names}`,
    ...domain === undefined ? [] : [`domain=${domain}`, `local=/${domain}/`],
    ...dnsServers.map(server => `server=${plainAddress(server)}`),
    ...served.map(({ subnet }) => {
      const { base, length, version } = parseCidr(subnet.cidr)
      const network = formatCidr({ version, base, length: version === 4 ? 32 : 128 })
      return version === 4
        ? `dhcp-range=set:${tag(spec, subnet)},${network},static,${mask(length)},${leaseSeconds}s`
        : `dhcp-range=set:${tag(spec, subnet)},${network},static,${Math.max(64, length)},${leaseSeconds}s`
    }),
    '',
  ].join('\n')
}

export const dhcpOptions = (spec: NetworkSpec): string => servedSubnets(spec).map(({ subnet, serverIp }) => {
  const on = `tag:${tag(spec, subnet)}`
  const dns = subnet.dnsServers.length > 0 ? subnet.dnsServers.map(plainAddress) : [serverIp]
  if (subnet.ipVersion === 6) return `${on},option6:dns-server,${dns.filter(ip => ip.includes(':')).map(ip => `[${ip}]`).join(',')}\n`
  const routes = [
    `${metadataAddress}/32,${serverIp}`,
    ...subnet.hostRoutes.map(route => `${formatCidr(parseCidr(route.destination))},${plainAddress(route.nexthop)}`),
    ...subnet.gatewayIp === undefined ? [] : [`0.0.0.0/0,${plainAddress(subnet.gatewayIp)}`],
  ].join(',')
  return [
    // Without a value the option is left out; else dnsmasq would name itself the router.
    subnet.gatewayIp === undefined ? `${on},option:router` : `${on},option:router,${plainAddress(subnet.gatewayIp)}`,
    `${on},option:dns-server,${dns.filter(ip => !ip.includes(':')).join(',')}`,
    `${on},option:mtu,${spec.mtu}`,
    `${on},option:classless-static-route,${routes}`,
    '',
  ].join('\n')
}).join('')

const hostname = (name: string): string | undefined => label.test(name) ? name.toLowerCase() : undefined

export const dhcpHosts = (spec: NetworkSpec): string => spec.leases.map(lease => {
  const ips = lease.ips.map(ip => plainAddress(ip.address)).map(ip => ip.includes(':') ? `[${ip}]` : ip)
  const name = hostname(lease.hostname)
  return ips.length === 0 ? '' : `${plainMac(lease.mac)},${ips.join(',')}${name ? `,${name}` : ''}\n`
}).join('')

export const dhcpNames = (spec: NetworkSpec): string => {
  const domain = domainOf(spec)
  return spec.leases.flatMap(lease => {
    const name = hostname(lease.hostname)
    return name === undefined ? [] : lease.ips.map(ip => `${plainAddress(ip.address)} ${domain ? `${name}.${domain} ` : ''}${name}\n`)
  }).join('')
}
