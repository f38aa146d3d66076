// A hypervisor that only pretends: a product of its own for clients' test suites, simulated clouds of a thousand hosts and our own tests. No root, no processes.
import { setTimeout as delay } from 'node:timers/promises'
import { conflict, notFound, unavailable } from '#base/errors.ts'
import { Serial } from '#base/serial.ts'
import type { Context } from '#base/context.ts'
import type { HostFacts, Hypervisor, InstanceSpec, Nic, Power, PowerChange, Seen } from '../contract.ts'
import type { FakeConfig, FakeFailure, FakeOperation } from './config.ts'
import { fakeStore } from './store.ts'
import type { FakeInstance } from './store.ts'

const consoleLimitBytes = 64 * 1024

/** The fake, with handles for tests that the contract does not have. */
export class FakeHypervisor implements Hypervisor {
  readonly name = 'fake'
  readonly #config: FakeConfig
  readonly #failures: (FakeFailure & { seen: number })[]
  readonly #store: ReturnType<typeof fakeStore>
  readonly #serial = new Serial()
  readonly #watchers = new Set<(change: Seen) => void>()
  /** How often each operation was called. */
  readonly calls: Partial<Record<FakeOperation, number>> = {}

  constructor(config: FakeConfig = {}) {
    this.#config = config
    this.#failures = (config.failures ?? []).map(failure => ({ ...failure, seen: 0 }))
    this.#store = fakeStore(config.stateDir)
  }

  // What happens from outside, for tests and demonstrations.

  /** Adds a failure; answers a function that takes it away again. */
  fail(failure: FakeFailure): () => void {
    const added = { ...failure, seen: 0 }
    this.#failures.push(added)
    return () => { this.#failures.splice(this.#failures.indexOf(added), 1) }
  }
  /** The guest's process dies, as by kill -9. */
  kill(id: string): Promise<void> { return this.#change(id, 'crashed', 'killed from outside') }
  /** The guest shuts itself down. */
  shutDown(id: string): Promise<void> { return this.#change(id, 'shutdown', 'shut down by the guest') }
  /** The guest writes on its serial console. */
  async print(id: string, text: string): Promise<void> {
    const instance = await this.#one(id)
    write(instance, text)
    await this.#store.put(instance)
  }

  // The contract.

  inspectHost(_ctx: Context): Promise<HostFacts> {
    const { vcpus = 16, memoryMib = 65_536, diskGib = 1000, traits = ['COMPUTE_NET_ATTACH_INTERFACE'] } = this.#config
    return this.#work('inspectHost', undefined, async () => ({
      hypervisorType: 'fake', hypervisorVersion: 1_000_000, vcpus, memoryMib, diskGib, traits: [...traits],
      cpuInfo: { arch: 'x86_64', model: 'fake', vendor: 'Pileus', features: [], topology: { sockets: 1, cores: vcpus, threads: 1 } },
    }))
  }

  list(_ctx: Context): Promise<Seen[]> {
    return this.#work('list', undefined, async () => [...(await this.#store.all()).values()].map(seenOf))
  }

  ownerUid(_ctx: Context, id: string): Promise<number> { return this.#work('ownerUid', id, async () => 0) }

  ensure(_ctx: Context, spec: InstanceSpec): Promise<void> {
    return this.#work('ensure', spec.id, async () => {
      const known = (await this.#store.all()).get(spec.id)
      const instance: FakeInstance = known ?? { spec, power: 'shutdown', console: '' }
      instance.spec = spec
      if (instance.power !== 'running' && instance.power !== 'paused') start(instance, instance.power === 'suspended' ? 'Resumed.\n' : bootLog(spec.name))
      await this.#store.put(instance)
    })
  }

  remove(_ctx: Context, id: string): Promise<void> { return this.#work('remove', id, () => this.#store.drop(id)) }

  power(_ctx: Context, id: string, change: PowerChange): Promise<void> {
    return this.#work('power', id, async () => {
      const instance = await this.#one(id)
      const up = instance.power === 'running', down = instance.power === 'shutdown' || instance.power === 'crashed'
      const refuse = (): never => { throw conflict(`Instance ${id} is ${instance.power}`) }
      if (change.to === 'on') { if (down) start(instance, bootLog(instance.spec.name)) }
      else if (change.to === 'off') { if (!down || instance.power === 'crashed') set(instance, 'shutdown') }
      else if (change.to === 'reboot') { if ((down || instance.power === 'suspended') && !change.hard) refuse(); else start(instance, bootLog(instance.spec.name)) }
      else if (change.to === 'pause') { if (up) set(instance, 'paused'); else if (instance.power !== 'paused') refuse() }
      else if (change.to === 'unpause') { if (instance.power === 'paused') set(instance, 'running'); else if (!up) refuse() }
      else if (change.to === 'suspend') { if (up || instance.power === 'paused') set(instance, 'suspended'); else if (down) refuse() }
      else if (instance.power === 'suspended') start(instance, 'Resumed.\n')
      else if (!up) refuse()
      await this.#store.put(instance)
    })
  }

  consoleLog(_ctx: Context, id: string, maxBytes: number): Promise<Buffer> {
    return this.#work('consoleLog', id, async () => {
      const bytes = Buffer.from((await this.#one(id)).console)
      return bytes.subarray(Math.max(0, bytes.length - maxBytes))
    })
  }

  watch(signal: AbortSignal, seen: (change: Seen) => void): void {
    if (signal.aborted) return
    const watcher = (change: Seen): void => seen(change) // the same function may watch twice
    this.#watchers.add(watcher)
    signal.addEventListener('abort', () => this.#watchers.delete(watcher), { once: true })
  }

  async close(): Promise<void> {
    this.#watchers.clear()
    await this.#serial.idle()
    await this.#store.settled()
  }

  readonly plug = {
    nic: (_ctx: Context, id: string, nic: Nic): Promise<void> => this.#work('plug', id, () => this.#nics(id, nics => [...nics.filter(n => n.portId !== nic.portId), nic])),
    unplugNic: (_ctx: Context, id: string, portId: string): Promise<void> => this.#work('unplug', id, () => this.#nics(id, nics => nics.filter(n => n.portId !== portId))),
  }

  async #nics(id: string, change: (nics: Nic[]) => Nic[]): Promise<void> {
    const instance = await this.#one(id)
    instance.spec = { ...instance.spec, nics: change(instance.spec.nics) }
    await this.#store.put(instance)
  }

  async #one(id: string): Promise<FakeInstance> {
    const instance = (await this.#store.all()).get(id)
    if (!instance) throw notFound(`Instance ${id} could not be found.`)
    return instance
  }

  async #change(id: string, power: Power, reason: string): Promise<void> {
    const instance = await this.#one(id)
    set(instance, power, reason)
    await this.#store.put(instance)
    for (const watcher of [...this.#watchers]) watcher(seenOf(instance))
  }

  /** Every operation passes here: it is counted, takes its time, and fails if it should. */
  async #work<T>(operation: FakeOperation, id: string | undefined, work: () => Promise<T>): Promise<T> {
    this.calls[operation] = (this.calls[operation] ?? 0) + 1
    const due = this.#failures.filter(f => f.operation === operation && (f.id === undefined || f.id === id) && (++f.seen === f.nth || f.nth === undefined))
    const run = async (): Promise<T> => {
      const wait = this.#config.delaysMs?.[operation]
      if (wait !== undefined) await delay(typeof wait === 'number' ? wait : wait[0] + Math.random() * (wait[1] - wait[0]))
      const fault = due[0] && unavailable(due[0].message ?? `The fake hypervisor failed to ${operation}`)
      if (fault && !due[0]?.afterwards) throw fault
      const answer = await work()
      if (fault) throw fault
      return answer
    }
    return id === undefined ? run() : this.#serial.run(id, run)
  }
}

const seenOf = (instance: FakeInstance): Seen => ({ id: instance.spec.id, power: instance.power, ...(instance.reason && { reason: instance.reason }) })
const set = (instance: FakeInstance, power: Power, reason?: string): void => { instance.power = power; instance.reason = reason }
const start = (instance: FakeInstance, line: string): void => { set(instance, 'running'); write(instance, line) }
/** Long enough for clients that ask for the last lines of a console. */
const bootLog = (name: string): string => [`Booting ${name}`, ...Array.from({ length: 12 }, (_x, i) => `[    0.0000${10 + i}] pretending, step ${i + 1}`), ''].join('\n')
const write = (instance: FakeInstance, text: string): void => { instance.console = (instance.console + text).slice(-consoleLimitBytes) }
