// This machine's agents: compute and network, over the drivers that were chosen. With the fake driver a thousand hosts may pretend to be there.
import { hostname, networkInterfaces } from 'node:os'
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

export interface Host { name: string, hypervisor: Hypervisor, network: NetworkDriver }
export interface Hosts { list: Host[], stop(): Promise<void> }

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
export async function openDrivers(config: CloudConfig, index = 0): Promise<{ hypervisor: Hypervisor, network: NetworkDriver }> {
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
    localPath: (hash) => parts.blobs.localPath?.(hash),
  })
  const list: Host[] = [], stops: Stop[] = []

  async function startHost(index: number): Promise<void> {
    const name = index === 0 ? config.host : `${config.host}-${index}`
    const { hypervisor, network } = await openDrivers(config, index)
    stops.push(await startNetworkAgent({ host: name, driver: network, bus, log, contextFor: context }))
    const ports = {
      async plug(ctx: Context, portId: string, ownerUid: number): Promise<Nic> {
        const plugged = await bus.call(ctx, networkAgentBus, 'plugPort', { portId, ownerUid }, { target: name, repeatable: true })
        return { portId, mac: plugged.mac, mtu: plugged.mtu, device: { tap: plugged.tap, ...(plugged.netns && { netns: plugged.netns }) } }
      },
      async unplug(ctx: Context, portId: string): Promise<void> { await bus.call(ctx, networkAgentBus, 'unplugPort', { portId }, { target: name, repeatable: true }) },
    }
    stops.push(await startComputeAgent({ host: name, hostIp: index === 0 ? ownAddress() : '127.0.0.1', hypervisor, bus, store, images, network: client('network'), ports, contextFor: context, log, version: '27.0.0' }))
    if (index === 0) stops.push(await network.serveMetadata(context(own('network')), metadataHandler(bus, () => context(own('compute')), log)))
    list.push({ name, hypervisor, network })
  }

  const stop = async (): Promise<void> => {
    clearInterval(heart)
    for (const end of stops.reverse()) await end().catch((error: unknown) => log.warn({ error: explain(error) }, 'an agent did not stop cleanly'))
    stops.length = 0
  }
  // One message for all hosts of this process.
  const beat = (): Promise<unknown> => bus.call(context(own('compute')), conductorBus, 'heartbeat', { hosts: list.map((h) => h.name) })
  const heart = setInterval(() => void beat().catch((error: unknown) => log.warn({ error: explain(error) }, 'a heartbeat was lost')), config.heartbeatMs).unref()
  try {
    for (let i = 0; i < count; i += 50) await Promise.all(Array.from({ length: Math.min(50, count - i) }, (_x, n) => startHost(i + n)))
  } catch (error) {
    await stop()
    throw error
  }
  list.sort((a, b) => a.name.localeCompare(b.name))
  return { list, stop }
}

export const thisHost = (): string => hostname().split('.')[0]!.toLowerCase()
