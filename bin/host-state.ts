// What a cloud has on this host, seen without its control plane.
import { plainContext, silentLog } from '#base/context.ts'
import type { Hypervisor, Seen } from '#drivers/hypervisor/contract.ts'
import type { NetworkDriver } from '#drivers/network/contract.ts'
import { configOf, readSettings } from './settings.ts'
import type { Identity } from './state-dir.ts'

export interface HostDrivers { hypervisor: Hypervisor, network: NetworkDriver, close(): Promise<void> }

/** The drivers of a cloud that does not run. Only while its lock is free, or in our hand. */
export async function openDriversOf(path: string, identity: Identity): Promise<HostDrivers> {
  const settings = await readSettings({ 'state-dir': path, 'driver': identity.driver })
  const config = configOf(settings, { path, identity, secrets: { adminPassword: '', demoPassword: '', sealKey: '' }, isNew: false })
  // Only now: most looks at a cloud need no driver.
  const { hypervisor, network } = await (await import('./hosts.ts')).openDrivers(config)
  return { hypervisor, network, async close() { await hypervisor.close(); await network.close() } }
}

/** Guests of a cloud that does not run. */
export async function guestsLeft(path: string, identity: Identity): Promise<Seen[]> {
  const drivers = await openDriversOf(path, identity)
  try {
    return await drivers.hypervisor.list(plainContext({ log: silentLog }))
  } finally {
    await drivers.close()
  }
}
