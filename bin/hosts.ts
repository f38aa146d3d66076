// This machine's agents: compute and network, over the drivers that were chosen. With the fake driver a thousand hosts may pretend to be there.
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { startComputeAgent } from '#agents/compute/agent.ts'
import { openImageCache, type ImageCache } from '#agents/compute/images.ts'
import { metadataHandler } from '#agents/compute/metadata.ts'
import { startNetworkAgent } from '#agents/network/agent.ts'
import type { Actor, Context, Log } from '#base/context.ts'
import { explain } from '#base/errors.ts'
import { hypervisors } from '#drivers/hypervisor/index.ts'
import type { Hypervisor, Nic } from '#drivers/hypervisor/contract.ts'
import { networkDrivers } from '#drivers/network/index.ts'
import type { NetworkDriver } from '#drivers/network/contract.ts'
import type { Bus, Stop } from '#kit/bus/bus.ts'
import type { ServiceClient } from '#kit/http/client.ts'
import type { Store } from '#kit/store/store.ts'
import { conductorBus } from '#services/compute/bus.ts'
import { networkAgentBus } from '#services/network/bus.ts'
import type { CloudConfig } from './config.ts'
import type { Parts } from './services.ts'

export interface Drivers { hypervisor: Hypervisor, network: NetworkDriver }
export interface Host extends Drivers {
  name: string
  /** Ends its agents and its signs of life; what stands on it goes on. */
  stop(): Promise<void>
}
export interface Hosts {
  /** Those whose agents run, by name. */
  list: Host[]
  /** Starts a host's agents over its drivers; they take up what stands there. */
  start(name: string, drivers: Drivers): Promise<Host>
  stop(): Promise<void>
}

export interface HostParts {
  config: CloudConfig
  store: Store
  bus: Bus
  log: Log
  client(service: string): ServiceClient
  context(actor: Actor): Context
  parts: Parts
}

const own = (service: string): Actor => ({ service, userId: '', roles: [] })

/** The drivers of a real host, or of the n-th pretended one. */
export async function openDrivers(config: CloudConfig, index = 0): Promise<Drivers> {
  const { stateDir, cloudId } = config
  if (config.driver === 'qemu') {
    return {
      hypervisor: await hypervisors.qemu({ stateDir: join(stateDir, 'guests'), cloudId, ...config.qemu }),
      network: await networkDrivers.linux({ cloudId, stateDir: join(stateDir, 'network') }),
    }
  }
  const { hosts = 1, ...fake } = config.fake
  // Pretended crowds live in memory: a thousand files would slow the start for nothing.
  const kept = hosts === 1
  return {
    hypervisor: await hypervisors.fake({ ...(kept && { stateDir: join(stateDir, 'guests') }), ...fake }),
    network: await networkDrivers.fake(kept ? { statePath: join(stateDir, `network-${index}`) } : {}),
  }
}

/** The address by which other hosts would reach this one. */
const ownAddress = (): string => Object.values(networkInterfaces()).flat().find((a) => a && !a.internal && a.family === 'IPv4')?.address ?? '127.0.0.1'

export async function startHosts({ config, store, bus, log, client, context, parts }: HostParts): Promise<Hosts> {
  const count = config.driver === 'fake' ? config.fake.hosts ?? 1 : 1
  const images: ImageCache = openImageCache({
    dir: join(config.stateDir, 'cache'), image: client('image'), bytes: config.driver !== 'fake',
    // Stores keep bytes by their hash: whichever of those on this host has them.
    localPaths: (hash) => parts.deps.image.stores.list.flatMap(({ blobs }) => blobs.localPath?.(hash) ?? []),
  })
  const list: Host[] = []

  async function start(name: string, { hypervisor, network }: Drivers): Promise<Host> {
    const stops: Stop[] = []
    const stop = async (): Promise<void> => {
      const at = list.indexOf(host)
      if (at >= 0) list.splice(at, 1)
      for (const end of stops.splice(0).reverse()) await end().catch((error: unknown) => log.warn({ host: name, error: explain(error) }, 'an agent did not stop cleanly'))
    }
    const host: Host = { name, hypervisor, network, stop }
    const ports = {
      async plug(ctx: Context, portId: string, ownerUid: number): Promise<Nic> {
        const plugged = await bus.call(ctx, networkAgentBus, 'plugPort', { portId, ownerUid }, { target: name, repeatable: true })
        return { portId, mac: plugged.mac, mtu: plugged.mtu, device: { tap: plugged.tap, ...(plugged.netns && { netns: plugged.netns }) } }
      },
      async unplug(ctx: Context, portId: string): Promise<void> { await bus.call(ctx, networkAgentBus, 'unplugPort', { portId }, { target: name, repeatable: true }) },
    }
    const isThis = name === config.host
    try {
      stops.push(await startNetworkAgent({ host: name, driver: network, bus, log, contextFor: context, ...(config.sharedMs !== undefined && { sharedMs: config.sharedMs }) }))
      stops.push(await startComputeAgent({ host: name, hostIp: isThis ? ownAddress() : '127.0.0.1', hypervisor, bus, store, images, network: client('network'), ports, contextFor: context, log, version: '27.0.0' }))
      if (isThis) stops.push(await network.serveMetadata(context(own('network')), metadataHandler(bus, () => context(own('compute')), log)))
    } catch (error) {
      await stop()
      throw error
    }
    list.push(host)
    return host
  }
  const sort = (): void => { list.sort((a, b) => a.name.localeCompare(b.name)) }

  const stop = async (): Promise<void> => {
    clearInterval(heart)
    for (const host of list.toReversed()) await host.stop()
  }
  // One message for all hosts of this process.
  const beat = (): Promise<unknown> => bus.call(context(own('compute')), conductorBus, 'heartbeat', { hosts: list.map((h) => h.name) })
  const heart = setInterval(() => void beat().catch((error: unknown) => log.warn({ error: explain(error) }, 'a heartbeat was lost')), config.heartbeatMs).unref()
  for (let i = 0; i < count; i += 50) {
    const begun = await Promise.allSettled(Array.from({ length: Math.min(50, count - i) }, async (_x, n) => start(i + n === 0 ? config.host : `${config.host}-${i + n}`, await openDrivers(config, i + n))))
    const failed = begun.find((b) => b.status === 'rejected')
    if (failed) {
      await stop()
      throw failed.reason
    }
  }
  sort()
  return { list, start: async (name, drivers) => { const host = await start(name, drivers); sort(); return host }, stop }
}
