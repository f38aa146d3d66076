// What the driver is told once, as a value.
import { badRequest } from '#base/errors.ts'

export interface LinuxNetworkConfig {
  /** Four letters or digits, in the name of every object on the host: clouds with different ones live side by side. */
  cloudId: string
  /** A folder of the driver's own; made when needed, removed by removeAll. */
  stateDir: string
  /** What running daemons need; readable for dnsmasq's account. /run/pileus-<cloudId> unless told. */
  runDir?: string
  /** How networks reach other hosts. Absent: they end on this one. */
  underlay?: {
    /** Our address on the underlay. */
    localIp: string
    /** The host's device that carries it. */
    device: string
    /** The other hosts' addresses there. */
    peers: string[]
  }
  /** Where the networks' DNS forwards what it does not know. None: such names are refused. */
  dnsServers?: string[]
  /**
   * `tap` for hypervisors that open a tap. `veth` answers one end of a pair, which a container (or a test) takes into its own namespace.
   */
  portDevice?: 'tap' | 'veth'
}

/** The configuration with its defaults, checked. */
export const completeConfig = (config: LinuxNetworkConfig) => {
  if (!/^[a-z0-9]{4}$/.test(config.cloudId)) throw badRequest(`A cloud's id is four lower-case letters or digits, not "${config.cloudId}"`)
  if (!config.stateDir.startsWith('/')) throw badRequest('stateDir must be an absolute path')
  return { ...config, runDir: config.runDir ?? `/run/pileus-${config.cloudId}`, dnsServers: config.dnsServers ?? [], portDevice: config.portDevice ?? 'tap' as const }
}
export type CompleteConfig = ReturnType<typeof completeConfig>
