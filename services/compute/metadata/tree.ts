// What a guest is told about itself, in the two formats there are: EC2's and OpenStack's. The same files are served at
// 169.254.169.254 and written on the config drive. https://docs.openstack.org/nova/latest/user/metadata.html

export interface GuestNic {
  portId: string
  mac: string
  mtu: number
  networkId: string
  tag?: string
  subnets: { id: string, ipVersion: 4 | 6, address: string, cidr: string, gatewayIp?: string, dhcp: boolean, dnsServers: string[], hostRoutes: { destination: string, nexthop: string }[] }[]
  floatingIps: string[]
}

export interface GuestFacts {
  id: string
  /** `i-0000002a`, as EC2 clients expect. */
  ec2Id: string
  name: string
  hostname: string
  projectId: string
  launchIndex: number
  reservationId: string
  availabilityZone: string
  flavorName: string
  imageId: string | null
  metadata: Record<string, string>
  key?: { name: string, publicKey: string }
  /** base64, as given. */
  userData?: string
  /** base64, as given. */
  files?: { path: string, contents: string }[]
  securityGroups: string[]
  nics: GuestNic[]
}

const openstackVersions = ['2012-08-10', '2013-04-04', '2013-10-17', '2015-10-15', '2016-06-30', '2016-10-06', '2017-02-22', '2018-08-27', '2020-10-14', 'latest']
const ec2Versions = ['1.0', '2007-01-19', '2007-03-01', '2007-08-29', '2007-10-10', '2007-12-15', '2008-02-01', '2008-09-01', '2009-04-04', 'latest']

const maskOf = (cidr: string): string => {
  const bits = Number(cidr.split('/')[1])
  return [0, 8, 16, 24].map((at) => 256 - 2 ** (8 - Math.min(8, Math.max(0, bits - at)))).join('.')
}
const maskOf6 = (cidr: string): string => {
  const bits = Number(cidr.split('/')[1])
  return Array.from({ length: 8 }, (_x, i) => (65536 - 2 ** (16 - Math.min(16, Math.max(0, bits - i * 16)))).toString(16)).join(':').replace(/(:0)+$/, '::')
}

/** https://docs.openstack.org/nova/latest/_downloads/network_data.json (its schema) */
export function networkData(nics: GuestNic[]): object {
  const services = new Map<string, { type: 'dns', address: string }>()
  const links = nics.map((nic) => ({ id: `tap${nic.portId.slice(0, 11)}`, vif_id: nic.portId, type: 'bridge', mtu: nic.mtu, ethernet_mac_address: nic.mac }))
  let n = 0
  const networks = nics.flatMap((nic, i) => nic.subnets.map((subnet) => {
    for (const address of subnet.dnsServers) services.set(address, { type: 'dns', address })
    const base = { id: `network${n++}`, link: links[i]!.id, network_id: nic.networkId }
    if (subnet.dhcp && subnet.ipVersion === 4) return { ...base, type: 'ipv4_dhcp' }
    const mask = subnet.ipVersion === 4 ? maskOf : maskOf6
    return {
      ...base, type: `ipv${subnet.ipVersion}`, ip_address: subnet.address, netmask: mask(subnet.cidr),
      routes: [
        ...(subnet.gatewayIp ? [subnet.ipVersion === 4 ? { network: '0.0.0.0', netmask: '0.0.0.0', gateway: subnet.gatewayIp } : { network: '::', netmask: '::', gateway: subnet.gatewayIp }] : []),
        ...subnet.hostRoutes.map((r) => ({ network: r.destination.split('/')[0], netmask: mask(r.destination), gateway: r.nexthop })),
      ],
      services: subnet.dnsServers.map((address) => ({ type: 'dns', address })),
    }
  }))
  return { links, networks, services: [...services.values()] }
}

/** Where the n-th file of the user's lies below `openstack`. */
const contentPath = (n: number): string => `/content/${String(n).padStart(4, '0')}`

function openstackFiles(facts: GuestFacts): Record<string, Buffer> {
  const { key, files = [] } = facts
  const metaData = {
    uuid: facts.id, name: facts.name, hostname: facts.hostname, launch_index: facts.launchIndex, availability_zone: facts.availabilityZone, project_id: facts.projectId,
    ...(Object.keys(facts.metadata).length > 0 && { meta: facts.metadata }),
    ...(key && { public_keys: { [key.name]: key.publicKey }, keys: [{ name: key.name, type: 'ssh', data: key.publicKey }] }),
    ...(files.length > 0 && { files: files.map(({ path }, n) => ({ content_path: contentPath(n), path })) }),
    devices: facts.nics.filter((nic) => nic.tag).map((nic) => ({ type: 'nic', bus: 'none', address: 'none', mac: nic.mac, tags: [nic.tag] })),
    dedicated_cpus: [],
  }
  return {
    'meta_data.json': Buffer.from(JSON.stringify(metaData)),
    'vendor_data.json': Buffer.from('{}'),
    'vendor_data2.json': Buffer.from('{"static": {}}'),
    'network_data.json': Buffer.from(JSON.stringify(networkData(facts.nics))),
    ...(facts.userData && { user_data: Buffer.from(facts.userData, 'base64') }),
  }
}

function ec2MetaData(facts: GuestFacts): Record<string, string> {
  const v4 = facts.nics.flatMap((nic) => nic.subnets).filter((s) => s.ipVersion === 4).map((s) => s.address)
  const ami = `ami-${(facts.imageId ?? '').replaceAll('-', '').slice(0, 8) || '00000000'}`
  return {
    'ami-id': ami, 'ami-launch-index': String(facts.launchIndex), 'ami-manifest-path': '(unknown)', 'hostname': facts.hostname, 'instance-action': 'none', 'instance-id': facts.ec2Id,
    'instance-type': facts.flavorName, 'local-hostname': facts.hostname, 'local-ipv4': v4[0] ?? '', 'placement/availability-zone': facts.availabilityZone,
    'public-hostname': facts.hostname, 'public-ipv4': facts.nics.flatMap((nic) => nic.floatingIps)[0] ?? '', 'reservation-id': facts.reservationId,
    'security-groups': facts.securityGroups.join('\n'), 'block-device-mapping/ami': 'vda', 'block-device-mapping/root': '/dev/vda',
    ...(facts.key && { 'public-keys/0/openssh-key': facts.key.publicKey }),
  }
}

/** Leaves by path, as 169.254.169.254 names them: `openstack/latest/meta_data.json`, `2009-04-04/meta-data/hostname`. Bytes in base64. */
export function metadataTree(facts: GuestFacts): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [name, bytes] of Object.entries(openstackFiles(facts))) for (const version of openstackVersions) out[`openstack/${version}/${name}`] = bytes.toString('base64')
  const ec2 = ec2MetaData(facts)
  for (const version of ec2Versions) {
    for (const [name, text] of Object.entries(ec2)) out[`${version}/meta-data/${name}`] = Buffer.from(text).toString('base64')
    if (facts.userData) out[`${version}/user-data`] = facts.userData
  }
  return out
}

/** The files of a config drive. */
export function configDriveFiles(facts: GuestFacts): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [path, bytes] of Object.entries(metadataTree(facts))) if (path.startsWith('openstack/')) out[path] = bytes
  for (const [n, { contents }] of (facts.files ?? []).entries()) out[`openstack${contentPath(n)}`] = Buffer.from(contents, 'base64').toString('base64')
  for (const version of ['2009-04-04', 'latest']) {
    out[`ec2/${version}/meta-data.json`] = Buffer.from(JSON.stringify(nested(ec2MetaData(facts)))).toString('base64')
    if (facts.userData) out[`ec2/${version}/user-data`] = facts.userData
  }
  return out
}

/** `a/b: x` becomes `{ a: { b: x } }`. */
function nested(flat: Record<string, string>): object {
  const root: Record<string, any> = {}
  for (const [path, value] of Object.entries(flat)) {
    const keys = path.split('/')
    let at = root
    for (const key of keys.slice(0, -1)) at = at[key] ??= {}
    at[keys.at(-1)!] = value
  }
  return root
}
