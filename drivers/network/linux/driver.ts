// The linux network driver: each call's order of work. What stands is asked of the kernel; what each object is made of lies in its own file.
import type { Context } from '#base/context.ts'
import { conflict, notFound } from '#base/errors.ts'
import { ipBatch, ipLinks } from '#host/ip.ts'
import { ensureDirectory } from '#host/files.ts'
import { listNetns, netnsStands } from '#host/netns.ts'
import { isNftMissing, nftApply } from '#host/nft.ts'
import type { MetadataHandler, NetworkDriver, NetworkSpec, PortDevice, PortSpec, Present, RouterSpec } from '#drivers/network/contract.ts'
import { plainAddress } from './addresses.ts'
import { ensureCloud } from './cloud.ts'
import { completeConfig } from './config.ts'
import type { LinuxNetworkConfig } from './config.ts'
import { convergeDhcpNamespace, ensureDhcpNamespace, ensureDnsmasq, removeDhcp } from './dhcp.ts'
import { wantsDhcp } from './dhcp-files.ts'
import { dropGroup, groupElements, putGroup } from './groups.ts'
import type { GroupElements } from './groups.ts'
import { ensureMetadataLink, ensureMetadataNamespace, removeMetadataLink, serveMetadata } from './metadata.ts'
import { checkId, cloudNames, portName } from './names.ts'
import { ensureNetworkLinks, networkStands, refuseOverlap, removeNetworkLinks } from './network.ts'
import { ensurePortLink, portDevice } from './port.ts'
import { removeEverything } from './removal.ts'
import { ensureRouter, removeRouter } from './router.ts'
import { serial } from './serial.ts'
import { idOfShort, State } from './state.ts'
import { dropPort, dropZone, putPort, putZone } from './tables.ts'

/** Makes the driver; it touches the host at its first call. */
export const createLinuxNetworkDriver = (given: LinuxNetworkConfig): NetworkDriver => {
  const config = completeConfig(given)
  const names = cloudNames(config.cloudId)
  const inOrder = serial()
  const servers = new Set<() => Promise<void>>()
  let opening: Promise<State> | undefined
  /** Networks as this process last applied them, without their leases: most calls come because a lease came or went, on the way of every new guest. */
  const applied = new Map<string, string>()
  /** What the kernel holds of each group, as far as this process knows. */
  const held = new Map<string, GroupElements>()

  /** What stands, by the kernel's word: also what we do not remember. */
  const present = async (state: State): Promise<{ networks: Set<string>, ports: Set<string>, routers: Set<string> }> => {
    const [netns, links] = await Promise.all([listNetns(names.cloud), netnsStands(names.cloud).then(stands => stands ? ipLinks(names.cloud) : [])])
    const of = (letter: string, known: ReadonlyMap<string, unknown>): string[] =>
      links.filter(link => new RegExp(`^${letter}[0-9a-f]{12}$`).test(link.ifname)).map(link => link.ifalias ?? idOfShort(known.keys(), link.ifname.slice(1)))
    return {
      networks: new Set([...of('b', state.networks), ...netns.map(names.networkOfDhcp).filter(id => id !== undefined)]),
      ports: new Set(of('t', state.ports)),
      routers: new Set(netns.map(names.routerOf).filter(id => id !== undefined)),
    }
  }

  const open = (): Promise<State> => {
    opening ??= (async () => {
      const state = new State(config.stateDir)
      await state.load()
      await state.keepOnly(await present(state))
      await ensureDirectory(config.runDir, 0o755)
      await ensureCloud(names.cloud, state)
      await ensureMetadataNamespace(names)
      return state
    })()
    opening.catch(() => { opening = undefined })
    return opening
  }

  /** The two namespaces every network needs, made again if somebody took them away. */
  const ensureGround = async (state: State): Promise<void> => {
    if (!await netnsStands(names.cloud)) await ensureCloud(names.cloud, state)
    if (!await netnsStands(names.metadata)) await ensureMetadataNamespace(names)
  }

  /** A small change of the rules; if the tables are not as we left them, all of them anew. */
  const applyRules = async (ctx: Context, state: State, script: string): Promise<void> => {
    try {
      await nftApply(names.cloud, script)
    } catch (error) {
      ctx.log.warn({ cause: String(error), missing: isNftMissing(error) }, 'the rule tables are not as they were left; applying them whole')
      await ensureCloud(names.cloud, state)
    }
  }

  /** A network is changed by one call at a time, and not while a port or router is being plugged into it. */
  const onNetworks = <T>(ids: readonly string[], work: () => Promise<T>): Promise<T> =>
    [...new Set(ids)].sort().reduceRight<() => Promise<T>>((inner, id) => () => inOrder(`network ${id}`, inner), work)()

  const networkOf = (state: State, id: string): NetworkSpec => {
    const network = state.networks.get(id)
    if (network === undefined) throw notFound(`Network ${id} is not on this host`)
    return network.spec
  }

  return {
    name: 'linux',

    async list(): Promise<Present> {
      const stands = await present(await open())
      return { networks: [...stands.networks].sort(), groups: [...(await open()).groups.keys()].sort(), ports: [...stands.ports].sort(), routers: [...stands.routers].sort() }
    },

    async ensureNetwork(ctx, spec) {
      checkId(spec.id)
      const state = await open()
      await onNetworks([spec.id], async () => {
        const shape = JSON.stringify({ ...spec, leases: [] })
        if (applied.get(spec.id) === shape && await networkStands(names, spec)) {
          await state.putNetwork(spec)
          if (wantsDhcp(spec)) await ensureDnsmasq(config, names, spec)
          return
        }
        applied.delete(spec.id)
        if (spec.external) await refuseOverlap(names, spec)
        const { index } = await state.putNetwork(spec)
        await ensureGround(state)
        await ensureNetworkLinks(config, names, spec)
        await applyRules(ctx, state, putZone({ spec, index }))
        if (!wantsDhcp(spec)) {
          await removeMetadataLink(names, index, [index])
          await removeDhcp(config, names, spec.id)
        } else {
          await ensureDhcpNamespace(names, spec, index)
          await ensureMetadataLink(names, names.dhcp(spec.id), index, [index])
          await convergeDhcpNamespace(names, spec, index)
          await ensureDnsmasq(config, names, spec)
        }
        applied.set(spec.id, shape)
      })
    },

    async removeNetwork(ctx, id) {
      checkId(id)
      const state = await open()
      await onNetworks([id], async () => {
        if ([...state.ports.values()].some(port => port.spec.networkId === id)) throw conflict(`Network ${id} has ports on this host`)
        if ([...state.routers.values()].some(({ spec }) => [spec.gateway, ...spec.interfaces].some(leg => leg?.networkId === id))) throw conflict(`Network ${id} has routers on this host`)
        const network = state.networks.get(id)
        if (network) await removeMetadataLink(names, network.index, [network.index])
        await removeDhcp(config, names, id)
        applied.delete(id)
        await removeNetworkLinks(names, id)
        await state.drop('networks', id)
        if (network) await applyRules(ctx, state, dropZone(network))
      })
    },

    async ensureGroup(ctx, spec) {
      checkId(spec.id)
      const state = await open()
      await inOrder(`group ${spec.id}`, async () => {
        const wanted = groupElements(spec), before = held.get(spec.id)
        held.delete(spec.id) // should what follows fail, nobody knows
        await state.putGroup(spec)
        // Told again what it holds already, somebody may want it mended: then all of it.
        await applyRules(ctx, state, putGroup(wanted, before) || putGroup(wanted, undefined))
        held.set(spec.id, wanted)
      })
    },

    async removeGroup(ctx, id) {
      checkId(id)
      const state = await open()
      await inOrder(`group ${id}`, async () => {
        if ([...state.ports.values()].some(port => port.spec.rules.some(rule => rule.remoteGroup === id))) throw conflict(`Address group ${id} is named by ports' rules on this host`)
        if (!state.groups.has(id)) return
        held.delete(id)
        await state.drop('groups', id)
        await applyRules(ctx, state, dropGroup(id))
      })
    },

    async ensurePort(ctx, given): Promise<PortDevice> {
      checkId(given.id)
      const state = await open()
      const spec: PortSpec = { ...given, ips: given.ips.map(plainAddress) }
      return inOrder(`port ${spec.id}`, async () => {
        // Once the port is written down its network can no longer be removed, so what follows need not hold the network up for other ports.
        const { network, before, port } = await onNetworks([spec.networkId], async () => {
          const network = networkOf(state, spec.networkId), before = state.ports.get(spec.id)
          for (const { remoteGroup: id } of spec.rules) if (id !== undefined && !state.groups.has(id)) throw notFound(`Address group ${id} is not on this host`)
          putPort({ spec, mark: 1 }, before) // a spec that makes no sense is refused before anything is written
          return { network, before, port: await state.putPort(spec) }
        })
        // Rules speak of links by name, so they can stand before the link does: no frame ever passes without them.
        await applyRules(ctx, state, putPort(port, before))
        await ensurePortLink(config, names, spec, network)
        return portDevice(config, names, spec.id)
      })
    },

    async removePort(ctx, id) {
      checkId(id)
      const state = await open()
      await inOrder(`port ${id}`, async () => {
        const port = state.ports.get(id)
        const tap = portName(id)
        // A tap that a guest holds open goes all the same; its rules go after it.
        await ipBatch(names.cloud, [`link delete dev ${tap}`]).catch(async error => {
          if ((await ipLinks(names.cloud)).some(link => link.ifname === tap)) throw error
        })
        await state.drop('ports', id)
        if (port) await applyRules(ctx, state, dropPort(port))
      })
    },

    async ensureRouter(ctx, spec: RouterSpec) {
      checkId(spec.id)
      const state = await open()
      const networks = [...spec.interfaces.map(i => i.networkId), ...spec.gateway ? [spec.gateway.networkId] : []]
      await inOrder(`router ${spec.id}`, () => onNetworks(networks, async () => {
        for (const id of networks) networkOf(state, id)
        await ensureGround(state)
        const before = state.routers.get(spec.id)
        const router = await state.putRouter(spec)
        const gone = Object.entries(before?.attachments ?? {}).filter(([portId]) => router.attachments[portId] === undefined).map(([, index]) => index)
        const plug = before && Math.min(...Object.values(before.attachments))
        if (gone.length > 0) await removeMetadataLink(names, plug !== undefined && gone.includes(plug) ? plug : undefined, gone)
        await ensureRouter(names, state, router)
      }))
    },

    async removeRouter(_ctx, id) {
      checkId(id)
      const state = await open()
      await inOrder(`router ${id}`, async () => {
        await removeRouter(names, id, state.routers.get(id))
        await state.drop('routers', id)
      })
    },

    async serveMetadata(ctx, handler: MetadataHandler) {
      const state = await open()
      const stop = await serveMetadata(names, state, ctx.log, handler)
      servers.add(stop)
      return async () => { if (servers.delete(stop)) await stop() }
    },

    async close() {
      for (const stop of servers) await stop()
      servers.clear()
    },

    async removeAll(ctx) {
      await this.close()
      await removeEverything(ctx, config, names)
      applied.clear()
      held.clear()
      opening = undefined
    },
  }
}
