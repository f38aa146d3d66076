// The network driver that touches nothing: a product for development and tests. It keeps the same promises as a real one (the behaviour suite runs over both),
// can be told to fail or to take its time, and can remember across restarts.
import { setTimeout as delay } from 'node:timers/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { conflict, notFound, unavailable } from '#base/errors.ts'
import { join } from 'node:path'
import { readdir } from 'node:fs/promises'
import { ensureDirectory, isMissing, readJson, removeFile, removeTree, writeJson } from '#host/files.ts'
import { Serial } from '#base/serial.ts'
import type { AddressGroupSpec, MetadataCaller, MetadataHandler, NetworkDriver, NetworkSpec, PortDevice, PortSpec, Present, RouterSpec } from '#drivers/network/contract.ts'

export type FakeNetworkCall = Exclude<keyof NetworkDriver, 'name' | 'close'>

export interface FakeNetworkConfig {
  /** A folder that remembers what stands, a file a thing, so that a new driver adopts it. Absent: forgets with the process. */
  statePath?: string
  /** How long each call takes. */
  delayMs?: Partial<Record<FakeNetworkCall, number>>
  /** Where a port says it lives; for drivers that ask. */
  netns?: string
}

interface Standing { networks: Record<string, NetworkSpec>, groups: Record<string, AddressGroupSpec>, ports: Record<string, PortSpec>, routers: Record<string, RouterSpec> }

/** When a told failure strikes: before anything was done, or after all of it (the caller cannot tell which). */
export interface FakeFailure { call: FakeNetworkCall, times?: number, when?: 'before' | 'after', error?: Error, id?: string }

export interface FakeNetworkDriver extends NetworkDriver {
  /** What is ensured, by id. The specs are copies. */
  readonly standing: { networks: Map<string, NetworkSpec>, groups: Map<string, AddressGroupSpec>, ports: Map<string, PortSpec>, routers: Map<string, RouterSpec> }
  /** Every call in order of arrival. */
  readonly calls: readonly { call: FakeNetworkCall, id?: string }[]
  /** The next `times` (once unless told) of a call fail, only for `id` if given. */
  fail(failure: FakeFailure): void
  /** Changes how long a call takes. */
  setDelay(call: FakeNetworkCall, ms: number): void
  /** Calls the metadata handler as this guest would. Throws if nobody serves. */
  requestMetadata(caller: MetadataCaller, req: IncomingMessage, res: ServerResponse): void
  /** The caller that a guest with this fixed address on this network would be. */
  callerAt(networkId: string, address: string): MetadataCaller | undefined
}

/** What an earlier driver left in its folder. */
async function recall(folder: string): Promise<Standing> {
  const standing: Standing = { networks: {}, groups: {}, ports: {}, routers: {} }
  const names = await readdir(folder).catch((error: unknown) => { if (isMissing(error)) return []; throw error })
  for (const name of names) {
    const match = /^(networks|groups|ports|routers)\.(.+)\.json$/.exec(name)
    const spec = match && await readJson<never>(join(folder, name))
    if (match && spec) standing[match[1] as keyof Standing][match[2]!] = spec
  }
  return standing
}

/** Makes a fake driver. With a `statePath` it first reads what an earlier one left. */
export const createFakeNetworkDriver = async (config: FakeNetworkConfig = {}): Promise<FakeNetworkDriver> => {
  const saved = config.statePath === undefined ? undefined : await recall(config.statePath)
  const standing = {
    networks: new Map(Object.entries(saved?.networks ?? {})),
    groups: new Map(Object.entries(saved?.groups ?? {})),
    ports: new Map(Object.entries(saved?.ports ?? {})),
    routers: new Map(Object.entries(saved?.routers ?? {})),
  }
  const calls: { call: FakeNetworkCall, id?: string }[] = []
  const failures: (FakeFailure & { times: number })[] = []
  const delays = new Map(Object.entries(config.delayMs ?? {}))
  let handler: MetadataHandler | undefined
  const turns = new Serial()

  /** Writes what became of one thing; of several changes in a row the last one counts. */
  const save = (call: FakeNetworkCall, id: string): Promise<void> => {
    const folder = config.statePath, kind = `${call.replace(/^(ensure|remove)/, '').toLowerCase()}s` as keyof Standing
    if (folder === undefined) return Promise.resolve()
    const path = join(folder, `${kind}.${id}.json`)
    return turns.run(path, async () => {
      const spec = standing[kind].get(id)
      if (spec === undefined) return void await removeFile(path)
      await ensureDirectory(folder)
      await writeJson(path, spec)
    })
  }
  const strike = (call: FakeNetworkCall, id: string | undefined, when: 'before' | 'after'): void => {
    const failure = failures.find(f => f.times > 0 && f.call === call && (f.when ?? 'before') === when && (f.id === undefined || f.id === id))
    if (failure === undefined) return
    failure.times--
    throw failure.error ?? unavailable(`The fake network driver was told to fail ${call}`)
  }
  const act = async <T>(call: FakeNetworkCall, id: string | undefined, work: () => T): Promise<T> => {
    calls.push({ call, ...(id !== undefined && { id }) })
    const ms = delays.get(call)
    if (ms) await delay(ms)
    strike(call, id, 'before')
    const answer = work()
    if (id !== undefined && (call.startsWith('ensure') || call.startsWith('remove'))) await save(call, id)
    strike(call, id, 'after')
    return answer
  }
  const needNetwork = (id: string): void => { if (!standing.networks.has(id)) throw notFound(`Network ${id} is not on this host`) }
  const networksOf = (router: RouterSpec): string[] => [...router.interfaces.map(i => i.networkId), ...router.gateway ? [router.gateway.networkId] : []]

  return {
    name: 'fake', standing, calls,
    fail(failure) { failures.push({ times: 1, ...failure }) },
    setDelay(call, ms) { delays.set(call, ms) },
    requestMetadata(caller, req, res) {
      if (handler === undefined) throw unavailable('Nobody serves metadata')
      handler(caller, req, res)
    },
    callerAt(networkId, address) {
      const portId = [...standing.ports.values()].find(port => port.networkId === networkId && port.ips.includes(address))?.id
        ?? standing.networks.get(networkId)?.leases.find(lease => lease.ips.some(ip => ip.address === address))?.portId
      return portId === undefined ? undefined : { networkId, portId }
    },

    list: () => act('list', undefined, (): Present => ({
      networks: [...standing.networks.keys()].sort(), groups: [...standing.groups.keys()].sort(), ports: [...standing.ports.keys()].sort(), routers: [...standing.routers.keys()].sort(),
    })),
    ensureNetwork: (_ctx, spec) => act('ensureNetwork', spec.id, () => { standing.networks.set(spec.id, structuredClone(spec)) }),
    removeNetwork: (_ctx, id) => act('removeNetwork', id, () => {
      if ([...standing.ports.values()].some(port => port.networkId === id)) throw conflict(`Network ${id} has ports on this host`)
      if ([...standing.routers.values()].some(router => networksOf(router).includes(id))) throw conflict(`Network ${id} has routers on this host`)
      standing.networks.delete(id)
    }),
    ensureGroup: (_ctx, spec) => act('ensureGroup', spec.id, () => { standing.groups.set(spec.id, structuredClone(spec)) }),
    removeGroup: (_ctx, id) => act('removeGroup', id, () => {
      if ([...standing.ports.values()].some(port => port.rules.some(rule => rule.remoteGroup === id))) throw conflict(`Address group ${id} is named by ports' rules on this host`)
      standing.groups.delete(id)
    }),
    ensurePort: (_ctx, spec) => act('ensurePort', spec.id, (): PortDevice => {
      needNetwork(spec.networkId)
      for (const { remoteGroup: id } of spec.rules) if (id !== undefined && !standing.groups.has(id)) throw notFound(`Address group ${id} is not on this host`)
      standing.ports.set(spec.id, structuredClone(spec))
      return { tap: `t${spec.id.replaceAll('-', '').slice(0, 12)}`, ...(config.netns !== undefined && { netns: config.netns }) }
    }),
    removePort: (_ctx, id) => act('removePort', id, () => { standing.ports.delete(id) }),
    ensureRouter: (_ctx, spec) => act('ensureRouter', spec.id, () => {
      for (const id of networksOf(spec)) needNetwork(id)
      standing.routers.set(spec.id, structuredClone(spec))
    }),
    removeRouter: (_ctx, id) => act('removeRouter', id, () => { standing.routers.delete(id) }),
    serveMetadata: (_ctx, given) => act('serveMetadata', undefined, () => {
      handler = given
      return async () => { if (handler === given) handler = undefined }
    }),
    async close() {
      handler = undefined
      await turns.idle()
    },
    async removeAll() {
      await act('removeAll', undefined, () => { for (const map of Object.values(standing)) map.clear() })
      await turns.idle()
      if (config.statePath !== undefined) await removeTree(config.statePath)
    },
  }
}
