// The compute agent of one host: makes, changes and removes guests as the conductor says, and reports what it sees.
import { uptime } from 'node:os'
import type { Actor, Context, Log } from '#base/context.ts'
import { explain, Fault, publicMessage, type FaultRecord } from '#base/errors.ts'
import { retry } from '#base/retry.ts'
import { after } from '#base/time.ts'
import type { Bus, Stop } from '#kit/bus/bus.ts'
import type { ServiceClient } from '#kit/http/client.ts'
import type { Store } from '#kit/store/store.ts'
import type { Hypervisor, InstanceSpec, Nic, Power, Seen } from '#drivers/hypervisor/contract.ts'
import { computeAgentBus, conductorBus, lostReason, type Command, type InstanceInfo, type PowerCommand } from '#services/compute/bus.ts'
import type { ImageCache } from './images.ts'
import { openLedger } from './ledger.ts'

export interface ComputeAgentOptions {
  host: string
  hostIp: string
  hypervisor: Hypervisor
  bus: Bus
  /** Where the ledger and the outbox of this node are. */
  store: Store
  images: ImageCache
  network: ServiceClient
  /** Wires a port on this host, and takes it away. */
  ports: { plug(ctx: Context, portId: string, ownerUid: number): Promise<Nic>, unplug(ctx: Context, portId: string): Promise<void> }
  /** A context for what the agent does of its own accord. */
  contextFor(actor: Actor): Context
  log: Log
  version: string
  /** How often all of its guests are looked at. */
  scanMs?: number
}

const own: Actor = { service: 'compute', userId: '', roles: [] }
const faultRecord = (error: unknown): FaultRecord => error instanceof Fault ? error.toJSON() : { kind: 'unavailable', message: publicMessage(error) }

/** Starts serving; answers a function that stops the agent and leaves the guests alone. */
export async function startComputeAgent(options: ComputeAgentOptions): Promise<Stop> {
  const { host, hypervisor, bus, store, images, ports, log, scanMs = 600_000 } = options
  const ledger = openLedger(store, host)
  const ctx = options.contextFor(own)
  /** What this host says of its guests is heard in the order it was said. */
  const observations = `observed-${host}`
  /** What guests did by themselves since they were last told to do something: it may come before the answer that they did as told. */
  const fallen = new Map<string, Seen>()
  const acting = (from: Context): Context => ({ ...from, actor: { ...from.actor, service: 'compute' } })

  const answer = (from: Context, { serverId, epoch, replyTo }: Command, command: 'ensure' | 'remove', fault?: FaultRecord): Promise<void> =>
    store.tx((tx) => bus.cast(tx, from, conductorBus, 'done', { serverId, epoch, command, ...(fault && { fault }) }, { target: replyTo, lane: serverId }))

  async function build(from: Context, info: InstanceInfo): Promise<void> {
    const wire = async (): Promise<Nic[]> => {
      // A few at a time is no gain: the network driver takes its ports one after another anyway.
      const uid = info.nics.length > 0 ? await hypervisor.ownerUid(from, info.serverId) : 0
      const nics: Nic[] = []
      for (const nic of info.nics) nics.push(await ports.plug(from, nic.portId, uid))
      return nics
    }
    const [base, nics] = await Promise.all([
      info.imageId === null ? undefined : images.have(from, info.imageId),
      from.span('agent.wire-ports', wire, { tenant: { ports: info.nics.length } }),
      // Until block storage is built no server has volumes; the step stays, so that its place is seen.
      from.span('agent.ask-volumes', async () => {}, { tenant: { volumes: 0 } }),
    ])
    if (!base) throw new Fault('badRequest', 'Servers without an image cannot be built yet.')
    const spec: InstanceSpec = {
      id: info.serverId, name: info.name, vcpus: info.flavor.vcpus, memoryMib: info.flavor.memoryMib,
      rootDisk: { base, sizeGib: info.flavor.diskGib }, nics, ...(info.configDrive && { configDrive: info.configDrive }),
      // cloud-init recognises its data source by these.
      smbios: { manufacturer: 'OpenStack Foundation', product: 'OpenStack Nova', version: options.version, serial: info.serverId, uuid: info.serverId, family: 'Virtual Machine' },
    }
    fallen.delete(info.serverId)
    await from.span('agent.start-guest', () => hypervisor.ensure(from, spec), { admin: { host, hypervisor: hypervisor.name } })
  }

  async function ensure(message: Context, command: Command): Promise<void> {
    const from = acting(message)
    try {
      await from.span('agent.take', () => ledger.ensure(command.serverId, command.epoch), { admin: { host } })
      const info = await from.span('agent.ask-conductor', () => bus.call(from, conductorBus, 'instanceInfo', { serverId: command.serverId, host }, { repeatable: true }))
      // Before any of them is made, so that a removal knows them whatever happened in between.
      await ledger.ports(command.serverId, info.nics.map((n) => n.portId))
      await build(from, info)
      await report([fallen.get(command.serverId) ?? { id: command.serverId, power: 'running' }])
    } catch (error) {
      log.warn({ host, serverId: command.serverId, error: explain(error) }, 'a guest could not be made')
      const fault = faultRecord(error)
      return answer(from, command, 'ensure', { ...fault, adminDetail: `${host}: ${fault.adminDetail ?? explain(error)}`.slice(0, 500) })
    }
    await answer(from, command, 'ensure')
  }

  async function remove(message: Context, command: Command): Promise<void> {
    const from = acting(message)
    try {
      fallen.delete(command.serverId)
      const known = await ledger.remove(command.serverId, command.epoch)
      if (known) {
        await hypervisor.remove(from, command.serverId)
        for (const portId of known.ports) await ports.unplug(from, portId)
      }
    } catch (error) {
      log.warn({ host, serverId: command.serverId, error: explain(error) }, 'a guest could not be removed')
      return answer(from, command, 'remove', faultRecord(error))
    }
    await answer(from, command, 'remove')
  }

  const reached: Record<PowerCommand['change']['to'], Power> = { on: 'running', off: 'shutdown', reboot: 'running', pause: 'paused', unpause: 'running', suspend: 'suspended', resume: 'running' }

  async function power(message: Context, { serverId, generation, action, change }: PowerCommand): Promise<void> {
    let fault: FaultRecord | undefined
    fallen.delete(serverId)
    try {
      await message.span(`agent.power-${change.to}`, () => hypervisor.power(message, serverId, change), { admin: { host } })
    } catch (error) {
      log.warn({ host, serverId, action, error: explain(error) }, 'a power change failed')
      fault = faultRecord(error)
    }
    await store.tx((tx) => bus.cast(tx, message, conductorBus, 'powerDone', { serverId, generation, action, host, ...(fault ? { fault } : { power: fallen.get(serverId)?.power ?? reached[change.to] }) }, { lane: observations }))
  }

  const report = (seen: Seen[]): Promise<void> =>
    store.tx((tx) => bus.cast(tx, ctx, conductorBus, 'observed', { host, seen: seen.map(({ id, power, reason }) => ({ serverId: id, power, ...(reason && { reason }) })) }, { lane: observations }))

  const stopServing = await bus.serve(computeAgentBus, {
    ensure, remove, power,
    consoleLog: async (from, { serverId, maxBytes }) => ({ base64: (await hypervisor.consoleLog(from, serverId, maxBytes)).toString('base64') }),
  }, { target: host })

  const ending = new AbortController()
  hypervisor.watch(ending.signal, (seen) => {
    fallen.set(seen.id, seen)
    report([seen]).catch((error: unknown) => log.warn({ error: explain(error) }, 'an observation was lost'))
  })

  /** Says what this host is and all that it sees: at the start, and now and then for what no message told of. */
  async function look(): Promise<void> {
    const facts = await hypervisor.inspectHost(ctx)
    const { serverIds } = await retry(() => bus.call(ctx, conductorBus, 'hostReport', { host, hostIp: options.hostIp, facts, bootedAt: after(-uptime() * 1000) }), { firstMs: 100, maxMs: 5000, attempts: 20 }, undefined, ending.signal)
    const standing = await hypervisor.list(ctx)
    const there = new Set(standing.map((s) => s.id))
    // A guest the host lost (it was restarted, the directory is gone) shows as shut down rather than as running for ever.
    const all = [...standing, ...serverIds.filter((id) => !there.has(id)).map((id): Seen => ({ id, power: 'shutdown', reason: lostReason }))]
    for (let i = 0; i < all.length; i += 100) await report(all.slice(i, i + 100))
  }
  await look()
  let looking = Promise.resolve()
  const again = (): void => { looking = looking.then(look).catch((error: unknown) => { if (!ending.signal.aborted) log.warn({ host, error: explain(error) }, 'a look at the host went wrong') }) }
  const timer = setInterval(again, Math.round(scanMs * (0.9 + Math.random() / 5))).unref()

  return async () => {
    ending.abort()
    clearInterval(timer)
    await looking
    await stopServing()
    await hypervisor.close()
  }
}
