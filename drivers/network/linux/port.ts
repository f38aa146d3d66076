// A guest's link: a tap that its hypervisor opens, or one end of a pair.
import { badRequest } from '#base/errors.ts'
import { ipBatch, ipLinks } from '#host/ip.ts'
import type { NetworkSpec, PortDevice, PortSpec } from '#drivers/network/contract.ts'
import type { CompleteConfig } from './config.ts'
import { bridgeName, portName, portPeerName } from './names.ts'
import type { CloudNames } from './names.ts'
import { plainMac } from './addresses.ts'

/** What the hypervisor plugs in. */
export const portDevice = (config: CompleteConfig, names: CloudNames, portId: string): PortDevice =>
  ({ tap: config.portDevice === 'tap' ? portName(portId) : portPeerName(portId), netns: names.cloud })

const makeLink = (config: CompleteConfig, spec: PortSpec, mtu: number): string => {
  if (!Number.isInteger(spec.ownerUid) || spec.ownerUid < 0) throw badRequest(`Not a uid: ${spec.ownerUid}`)
  return config.portDevice === 'tap'
    ? `tuntap add dev ${portName(spec.id)} mode tap user ${spec.ownerUid}`
    : `link add dev ${portName(spec.id)} mtu ${mtu} type veth peer name ${portPeerName(spec.id)} address ${plainMac(spec.mac)} mtu ${mtu}`
}

/** Makes the link and plugs it in; its rules must stand. The usual case, a new port, is one process. */
export async function ensurePortLink(config: CompleteConfig, names: CloudNames, spec: PortSpec, network: NetworkSpec): Promise<void> {
  const tap = portName(spec.id), bridge = bridgeName(spec.networkId)
  const plug = `link set dev ${tap} alias ${spec.id} mtu ${network.mtu} master ${bridge} ${spec.adminUp ? 'up' : 'down'}`
  try {
    await ipBatch(names.cloud, [makeLink(config, spec, network.mtu), plug])
  } catch (error) {
    const have = (await ipLinks(names.cloud)).find(link => link.ifname === tap)
    if (have === undefined) throw error
    // A tap's owner is not shown, so whose it is is trusted; all else is compared.
    if (have.ifalias !== spec.id || have.mtu !== network.mtu || have.master !== bridge || have.flags.includes('UP') !== spec.adminUp) await ipBatch(names.cloud, [plug])
  }
}
