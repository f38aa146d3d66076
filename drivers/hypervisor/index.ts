// The hypervisor drivers by name. A driver is loaded only when it is asked for.
import type { Hypervisor } from './contract.ts'
import type { FakeConfig } from './fake/config.ts'
import type { QemuConfig } from './qemu/config.ts'

export interface HypervisorConfigs { fake: FakeConfig, qemu: QemuConfig }
export type HypervisorName = keyof HypervisorConfigs

export const hypervisors: { readonly [N in HypervisorName]: (config: HypervisorConfigs[N]) => Promise<Hypervisor> } = {
  fake: async config => new (await import('./fake/fake.ts')).FakeHypervisor(config),
  qemu: async config => (await import('./qemu/driver.ts')).createQemu(config),
}
