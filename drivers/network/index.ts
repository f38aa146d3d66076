// The network drivers by name. Each is loaded only when asked for.
import type { NetworkDriver } from './contract.ts'
import type { FakeNetworkConfig } from './fake/driver.ts'
import type { LinuxNetworkConfig } from './linux/config.ts'

export const networkDrivers = {
  fake: async (config: FakeNetworkConfig = {}): Promise<NetworkDriver> => (await import('./fake/driver.ts')).createFakeNetworkDriver(config),
  linux: async (config: LinuxNetworkConfig): Promise<NetworkDriver> => (await import('./linux/driver.ts')).createLinuxNetworkDriver(config),
}
