// Everything the composition root is told, as one value.
import type { BusConfig } from '#kit/bus/bus.ts'
import type { StoreConfig } from '#kit/store/store.ts'
import type { FakeConfig } from '#drivers/hypervisor/fake/config.ts'
import type { ImageSettings } from '#services/image/settings.ts'
import type { IdentityConfig } from '#services/identity/deps.ts'
import type { Accel } from '#drivers/hypervisor/qemu/config.ts'

/** What may stand behind `--driver`: a hypervisor with the network that suits it, see openDrivers in hosts.ts. */
export const driverNames = ['qemu', 'fake'] as const
export type DriverName = (typeof driverNames)[number]

export interface CloudConfig {
  /** Four letters and digits in the name of every object on the host. */
  cloudId: string
  stateDir: string
  /** This host's name in the cloud. */
  host: string
  listen: { address: string, port: number }
  /** Absolute, no slash at the end. Derived from `listen` when absent. */
  publicUrl?: string
  tls?: { cert: string, key: string, /** Whose clients' certificates are believed: PEM. */ clientCa?: string }
  database: StoreConfig
  bus: BusConfig
  driver: DriverName
  qemu: { accel?: Accel, cpuModel?: string }
  /** Knobs of the fake hypervisor; `hosts` of them pretend to be there. */
  fake: FakeConfig & { hosts?: number }
  secrets: { adminPassword: string, demoPassword: string, sealKey: Buffer }
  /** Tests hash cheaply; nobody else does. */
  passwordCost?: { memoryKib: number, passes: number }
  /** Guests get so long to shut themselves down. */
  shutdownGraceMs: number
  maxImageBytes: number
  /** What the administrator's file says about images. */
  images?: ImageSettings
  /** What the administrator's file says about identity. */
  identity?: Partial<IdentityConfig>
  /** The external network that is seeded, and the host's address on it. */
  external: { cidr: string, gateway: string }
  heartbeatMs: number
  /** A host that was silent for so long is down. nova's service_down_time when absent. */
  downAfterMs?: number
  /** How often at most a host looks anew at what its guests share, while they come and go. */
  sharedMs?: number
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Where log lines go; standard error when absent. */
  logFile?: string
  /** Absent: no seeding of projects, networks and images beyond the administrator. */
  seedImage?: string
}
