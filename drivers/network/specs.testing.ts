// Wanted states for tests: whole specs with sensible values, changed where a test says so.
import { newId } from '#base/ids.ts'
import type { FilterRule, NetworkSpec, PortSpec, RouterSpec, SubnetSpec } from './contract.ts'

let segments = 100
let cards = 0
/** A MAC nobody else in this test has. */
export const newMac = (): string => { cards++; return `fa:16:3e:00:${(cards >> 8 & 0xff).toString(16).padStart(2, '0')}:${(cards & 0xff).toString(16).padStart(2, '0')}` }

export const allowAllEgress: FilterRule[] = [{ direction: 'egress', ipVersion: 4 }, { direction: 'egress', ipVersion: 6 }]

/** A network with one IPv4 subnet, DHCP at its .2 and gateway at its .1. `prefix` is its first three numbers. */
export const someNetwork = (over: Partial<NetworkSpec> & { prefix?: string, subnet?: Partial<SubnetSpec> } = {}): NetworkSpec => {
  const { prefix = '10.0.0', subnet, ...rest } = over
  const id = newId()
  return {
    id: newId(), segmentId: segments++, mtu: 1450, external: false, dnsDomain: 'openstack.example.',
    subnets: [{ id, cidr: `${prefix}.0/24`, ipVersion: 4, gatewayIp: `${prefix}.1`, dhcp: true, dnsServers: [], hostRoutes: [], ...subnet }],
    dhcpPort: { portId: newId(), mac: newMac(), ips: [{ subnetId: subnet?.id ?? id, address: `${prefix}.2` }] }, leases: [], ...rest,
  }
}

/** An external network without DHCP; the host has its .1. */
export const someExternal = (prefix = '203.0.113', over: Partial<NetworkSpec> = {}): NetworkSpec => ({
  id: newId(), segmentId: segments++, mtu: 1500, external: true, dnsDomain: '', leases: [],
  subnets: [{ id: newId(), cidr: `${prefix}.0/24`, ipVersion: 4, gatewayIp: `${prefix}.1`, dhcp: false, dnsServers: [], hostRoutes: [] }], ...over,
})

/** A guarded port that may send anything and be called by nobody. */
export const somePort = (network: NetworkSpec, address: string, over: Partial<PortSpec> = {}): PortSpec => ({
  id: newId(), networkId: network.id, mac: newMac(), ips: [address], allowedPairs: [], portSecurity: true, rules: allowAllEgress, adminUp: true, ownerUid: 65_534, ...over,
})

export const someRouter = (networks: NetworkSpec[], over: Partial<RouterSpec> = {}): RouterSpec => ({
  id: newId(), floatingIps: [], routes: [], adminUp: true,
  interfaces: networks.map(network => ({
    portId: newId(), networkId: network.id, mac: newMac(),
    cidrs: network.subnets.filter(s => s.gatewayIp !== undefined).map(s => `${s.gatewayIp}/${s.cidr.split('/')[1]}`),
  })), ...over,
})

/** A router's way out with this own address. */
export const someGateway = (external: NetworkSpec, address: string, snat = true): NonNullable<RouterSpec['gateway']> => ({
  portId: newId(), networkId: external.id, mac: newMac(), snat,
  cidrs: [`${address}/${external.subnets[0]?.cidr.split('/')[1]}`], nextHops: external.subnets[0]?.gatewayIp === undefined ? [] : [external.subnets[0].gatewayIp],
})

export const allow = (over: Partial<FilterRule>): FilterRule => ({ direction: 'ingress', ipVersion: 4, ...over })

/** The network with a lease for a port. */
export const withLeases = (network: NetworkSpec, ports: { port: PortSpec, hostname: string }[]): NetworkSpec => ({
  ...network, leases: ports.map(({ port, hostname }) => ({
    portId: port.id, mac: port.mac, hostname,
    ips: port.ips.map(address => ({ subnetId: network.subnets.find(s => s.ipVersion === (address.includes(':') ? 6 : 4))?.id ?? '', address })),
  })),
})
