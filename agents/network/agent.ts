// The network agent of one host: has the driver hold what the network service wants here, and reports what became of it. It keeps no state of its own
// that matters: whoever wants something to change writes it down and wakes the agent, which asks what is wanted now.
import type { Actor, Context, Log } from '#base/context.ts'
import { conflict, explain } from '#base/errors.ts'
import { pauseMs, retry } from '#base/retry.ts'
import { Serial } from '#base/serial.ts'
import { now } from '#base/time.ts'
import type { Bus, Stop } from '#kit/bus/bus.ts'
import type { NetworkDriver } from '#drivers/network/contract.ts'
import { networkAgentBus, networkBus, type HostReport, type Touched, type Wanted, type WantedRequest } from '#services/network/bus.ts'
import { Applier, type Applied } from './apply.ts'

export interface NetworkAgentOptions {
  host: string
  driver: NetworkDriver
  bus: Bus
  log: Log
  /** A context for what the agent does of its own accord. */
  contextFor(actor: Actor): Context
  /** How often the whole host is looked through for what no message told of. */
  scanMs?: number
  heartbeatMs?: number
  /** The first pause before something that failed is tried again. */
  retryMs?: number
  /** How often at most what many guests share (a network's leases, who is in a group) is looked at anew while guests come and go. */
  sharedMs?: number
}

const own: Actor = { service: 'network', userId: '', roles: [] }
/** Things of one scan that are applied together, before whoever waits gets a turn. */
const chunk = 20

/** Starts serving; answers a function that stops the agent and leaves the data plane as it is. */
export async function startNetworkAgent({ host, driver, bus, log, contextFor, scanMs = 60_000, heartbeatMs = 25_000, retryMs = 500, sharedMs = 200 }: NetworkAgentOptions): Promise<Stop> {
  const applier = new Applier(driver, host, log)
  // Asking and applying go together, one after the other: an older answer must not be applied after a newer one.
  const serial = new Serial()
  const alone = <T>(work: () => Promise<T>): Promise<T> => serial.run('host', work)
  const ending = new AbortController()
  const startedAt = now()
  const dirty = noted(), later = noted()
  const strangers = new Set<string>()

  const wantedNow = (ctx: Context, request: Omit<WantedRequest, 'host'>): Promise<Wanted> => bus.call(ctx, networkBus, 'wantedState', { host, ...request }, { repeatable: true })
  const tell = async (ctx: Context, report: Omit<HostReport, 'host'>): Promise<void> => {
    if (Object.values(report).some((list) => list.length > 0)) await bus.call(ctx, networkBus, 'report', { host, ...report }, { repeatable: true })
  }

  /** Asks about these and applies the answer; throws the first thing that went wrong, when all the others are done. */
  async function settle(ctx: Context, ask: Touched, options: Parameters<Applier['apply']>[2] = {}, trusting = true): Promise<{ wanted: Wanted, applied: Applied }> {
    const seen = options.onlyChanges
    const stands = trusting ? { networks: applier.standing('network', seen?.networks), groups: applier.standing('group', seen?.groups) } : { networks: [], groups: [] }
    let wanted = await ctx.span('agent.ask-network', () => wantedNow(ctx, { ask, stands }), { admin: { host } })
    // An early message may meet a late state: a network is to go whose routers and ports are only told of by a message still under way.
    const first = applier.dependentsOf(wanted.remove.networks)
    if (first.ports.length + first.routers.length > 0) {
      wanted = await wantedNow(ctx, { stands, ask: { networks: ask.networks ?? [], groups: ask.groups ?? [], ports: [...new Set([...ask.ports ?? [], ...first.ports])], routers: [...new Set([...ask.routers ?? [], ...first.routers])] } })
    }
    const applied = await applier.apply(ctx, wanted, options)
    await tell(ctx, applied.report)
    return { wanted, applied }
  }

  async function flush(ctx: Context): Promise<void> {
    if (isEmpty(dirty)) return
    const ask = asked(dirty)
    for (const set of Object.values(dirty)) set.clear()
    try {
      const { applied } = await settle(ctx, ask)
      if (applied.errors.length > 0) throw applied.errors[0]
    } catch (error) {
      note(dirty, ask)
      throw error
    }
  }

  /**
   * What stands here and is shared by many guests changes with each of them, and each look at it costs as much as there are guests: it waits until the last
   * look is a while ago. A port that has not been plugged here is looked at when it is.
   */
  const mark = (touched: Touched): void => {
    for (const [set, kind] of [['networks', 'network'], ['groups', 'group'], ['ports', 'port'], ['routers', 'router']] as const) {
      for (const id of touched[set] ?? []) (kind !== 'router' && applier.isHere(kind, id) === (kind !== 'port') ? later : dirty)[set].add(id)
    }
  }
  let sharedAt = -Infinity, sharing = false
  let waiting: NodeJS.Timeout | undefined
  async function refreshShared(ctx: Context): Promise<void> {
    if (sharing || waiting !== undefined || isEmpty(later)) return
    const ms = sharedAt + sharedMs - performance.now()
    if (ms > 0) {
      // No message waits for this: they are handled one after the other, and the next may tell of what must be seen to at once.
      waiting = setTimeout(() => { waiting = undefined; if (!ending.signal.aborted) void refreshShared(contextFor(own)) }, ms).unref()
      return
    }
    sharing = true
    note(dirty, asked(later))
    for (const set of Object.values(later)) set.clear()
    await refresh(ctx) // never throws
    sharing = false
    sharedAt = performance.now()
    await refreshShared(ctx)
  }

  /** Many messages, one look: what is marked while another look runs is looked at together. What fails is tried again by itself, until it is right. */
  async function refresh(ctx: Context, attempt = 1): Promise<void> {
    try {
      await alone(() => flush(ctx))
    } catch (error) {
      const ms = pauseMs(attempt, { firstMs: retryMs, maxMs: 30_000 })
      log.warn({ host, error: explain(error), againInMs: ms }, 'this host is not as it should be')
      again ??= setTimeout(() => { again = undefined; if (!ending.signal.aborted) void refresh(contextFor(own), attempt + 1) }, ms).unref()
    }
  }
  let again: NodeJS.Timeout | undefined
  /** The agent asks in its own name; whoever set the work off stays named beside it. */
  const acting = (ctx: Context): Context => ({ ...ctx, actor: { ...ctx.actor, service: 'network' } })

  const stopServing = await bus.serve(networkAgentBus, {
    async changed(ctx, touched) {
      mark(touched)
      if (!isEmpty(dirty)) await refresh(acting(ctx))
      await refreshShared(acting(ctx))
    },
    plugPort: (from, { portId, ownerUid = 0 }) => alone(async () => {
      const ctx = acting(from)
      // Its network and groups are trusted to stand if they were made here; if it cannot be wired they may have been damaged, and are mended.
      const plug = { plug: { portId, ownerUid } }
      later.ports.delete(portId) // this is the look that its binding asked for
      let { wanted, applied } = await settle(ctx, { ports: [portId] }, plug)
      if (wanted.ports.length > 0 && wanted.networks.length === 0 && !applied.devices.has(portId)) ({ wanted, applied } = await settle(ctx, { ports: [portId] }, plug, false))
      const port = wanted.ports.find((p) => p.spec.id === portId)
      if (!port) { applier.plugged.delete(portId); throw conflict(`Port ${portId} is not bound to this host.`, { type: 'PortNotBound', adminDetail: host }) }
      const device = applied.devices.get(portId)
      if (!device) throw applied.errors[0] ?? conflict(`Port ${portId} could not be wired.`, { adminDetail: host })
      return { tap: device.tap, ...(device.netns !== undefined && { netns: device.netns }), mac: port.spec.mac, mtu: port.mtu, networkId: port.spec.networkId }
    }),
    unplugPort: (from, { portId }) => alone(async () => {
      const ctx = acting(from)
      await applier.unplug(ctx, portId)
      await tell(ctx, { ports: [{ id: portId, state: 'down' }] })
      return { removed: true as const }
    }),
  }, { target: host })

  /** Compares the whole host with what is wanted; applies differences a few at a time, so that a guest that starts does not wait for all of it. */
  async function scan(ctx: Context, first: boolean): Promise<void> {
    const present = await driver.list(ctx)
    const wanted = await wantedNow(ctx, { present })
    for (const [kind, ids] of Object.entries(wanted.unknown)) {
      for (const id of ids) {
        if (strangers.has(id)) continue
        strangers.add(id)
        log.warn({ host, kind, id }, 'something on this host is not known to the network service; it is left alone')
      }
    }
    // What stands was plugged once, whatever became of the report.
    for (const { spec } of wanted.ports) if (present.ports.includes(spec.id) && !applier.plugged.has(spec.id)) applier.plugged.set(spec.id, spec.ownerUid)
    const asks: Touched[] = [
      ...slices(wanted.routers.map((r) => r.id)).map((routers) => ({ routers })), ...slices(wanted.ports.map((p) => p.spec.id)).map((ports) => ({ ports })), ...slices(wanted.networks.map((n) => n.id)).map((networks) => ({ networks })),
      ...slices(wanted.groups.map((g) => g.id)).map((groups) => ({ groups })),
      ...slices(wanted.remove.routers).map((routers) => ({ routers })), ...slices(wanted.remove.ports).map((ports) => ({ ports })), ...slices(wanted.remove.groups).map((groups) => ({ groups })),
      ...slices(wanted.remove.networks).map((networks) => ({ networks })),
    ]
    for (const ask of asks) {
      if (ending.signal.aborted) return
      // Asked again: what is applied must be what is wanted then, not what was wanted when the scan began.
      await alone(() => settle(ctx, ask, first ? {} : { onlyChanges: present }))
    }
  }

  const beat = (): Promise<unknown> => bus.call(contextFor(own), networkBus, 'heartbeat', { host, startedAt, configurations: { driver: driver.name } })
  const inBackground = (what: string, work: () => Promise<unknown>): Promise<void> =>
    work().then(() => {}, (error: unknown) => { if (!ending.signal.aborted) log.warn({ host, error: explain(error) }, `${what} went wrong`) })
  await retry(beat, { firstMs: 100, maxMs: 5000, attempts: 20 }, undefined, ending.signal)
  let scanning = inBackground('the first look at the host', () => scan(contextFor(own), true))
  // Many hosts of one process do not all speak at the same instant.
  const shaken = (ms: number): number => Math.round(ms * (0.9 + Math.random() / 5))
  const timers = [
    setInterval(() => void inBackground('a heartbeat', beat), shaken(heartbeatMs)).unref(),
    setInterval(() => { scanning = scanning.then(() => ending.signal.aborted ? undefined : inBackground('a look at the host', () => scan(contextFor(own), false))) }, shaken(scanMs)).unref(),
  ]
  return async () => {
    ending.abort()
    for (const timer of timers) clearInterval(timer)
    clearTimeout(again)
    clearTimeout(waiting)
    await stopServing()
    await scanning
    await serial.idle()
    await driver.close()
  }
}

/** Things to be looked at. */
type Noted = Record<'networks' | 'groups' | 'ports' | 'routers', Set<string>>
const noted = (): Noted => ({ networks: new Set(), groups: new Set(), ports: new Set(), routers: new Set() })
const isEmpty = (noted: Noted): boolean => Object.values(noted).every((ids) => ids.size === 0)
const asked = ({ networks, groups, ports, routers }: Noted): Required<Touched> => ({ networks: [...networks], groups: [...groups], ports: [...ports], routers: [...routers] })
const note = (into: Noted, { networks, groups, ports, routers }: Required<Touched>): void => {
  for (const id of networks) into.networks.add(id)
  for (const id of groups) into.groups.add(id)
  for (const id of ports) into.ports.add(id)
  for (const id of routers) into.routers.add(id)
}

const slices = (ids: string[]): string[][] => Array.from({ length: Math.ceil(ids.length / chunk) }, (_x, i) => ids.slice(i * chunk, (i + 1) * chunk))
