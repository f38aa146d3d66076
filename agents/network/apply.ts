// Brings a host to a wanted state through its driver, thing by thing: one that fails does not keep the others from being right.
import { createHash } from 'node:crypto'
import type { Context, Log } from '#base/context.ts'
import { explain, isFault } from '#base/errors.ts'
import type { AddressGroupSpec, NetworkDriver, NetworkSpec, PortDevice, PortSpec, Present, RouterSpec } from '#drivers/network/contract.ts'
import type { HostReport, StateReport, Wanted } from '#services/network/bus.ts'

type Kind = 'network' | 'group' | 'port' | 'router'
export interface Applied { report: Omit<HostReport, 'host'>, devices: Map<string, PortDevice>, errors: unknown[] }

/** What this agent knows of the host: cheap to lose, made anew by the first scan. */
export class Applier {
  readonly #driver: NetworkDriver
  readonly #log: Log
  readonly #host: string
  /** Who may open each plugged port's tap. A port that is not in here has not been plugged: its guest has not come yet. */
  readonly plugged = new Map<string, number>()
  /** What was applied last, to leave alone what did not change. */
  readonly #hashes = new Map<string, string>()

  /** Which networks each router and port that was applied lies on. */
  readonly #on = new Map<string, { kind: 'port' | 'router', networks: string[] }>()

  constructor(driver: NetworkDriver, host: string, log: Log) { this.#driver = driver; this.#host = host; this.#log = log }

  /** `onlyChanges`: what was applied just like this before and still stands is left alone. `plug`: a port whose guest is about to start. */
  async apply(ctx: Context, wanted: Wanted, options: { onlyChanges?: Present, plug?: { portId: string, ownerUid: number } } = {}): Promise<Applied> {
    const { onlyChanges, plug } = options
    const out: Applied = { report: {}, devices: new Map(), errors: [] }
    const networks: StateReport[] = [], ports: StateReport[] = [], routers: StateReport[] = [], floatingIps: StateReport[] = []
    for (const port of wanted.ports) if (port.plugged && !this.plugged.has(port.spec.id)) this.plugged.set(port.spec.id, port.spec.ownerUid)
    const before = plug && this.plugged.get(plug.portId)
    if (plug) this.plugged.set(plug.portId, plug.ownerUid)

    const ensure = async (kind: Kind, id: string, spec: NetworkSpec | AddressGroupSpec | PortSpec | RouterSpec, standing: string[] | undefined, work: () => Promise<unknown>): Promise<StateReport> => {
      const hash = createHash('sha1').update(JSON.stringify(spec)).digest('base64'), key = `${kind}/${id}`
      if (standing?.includes(id) && this.#hashes.get(key) === hash) return { id, state: 'up' }
      this.#hashes.delete(key)
      try {
        await work()
        this.#hashes.set(key, hash)
        return { id, state: 'up' }
      } catch (error) {
        this.#log.warn({ host: this.#host, [kind]: id, error: explain(error) }, `a ${kind} could not be made on this host`)
        out.errors.push(error)
        return { id, state: 'error', detail: explain(error).slice(0, 500) }
      }
    }

    for (const spec of wanted.networks) {
      const state = await ensure('network', spec.id, spec, onlyChanges?.networks, () => this.#driver.ensureNetwork(ctx, spec))
      networks.push(state)
      if (spec.dhcpPort) ports.push({ ...state, id: spec.dhcpPort.portId, detail: '' })
    }
    for (const spec of wanted.groups) await ensure('group', spec.id, spec, onlyChanges?.groups, () => this.#driver.ensureGroup(ctx, spec))
    for (const { spec: bare } of wanted.ports) {
      const ownerUid = this.plugged.get(bare.id)
      if (ownerUid === undefined) continue
      const spec = { ...bare, ownerUid }
      this.#on.set(spec.id, { kind: 'port', networks: [spec.networkId] })
      const state = await ensure('port', spec.id, spec, onlyChanges?.ports, async () => { out.devices.set(spec.id, await this.#driver.ensurePort(ctx, spec)) })
      // A guest whose card could not be made does not start: nothing keeps the card from now on.
      if (plug?.portId === bare.id && before === undefined && state.state === 'error') this.plugged.delete(bare.id)
      ports.push(state.state === 'up' ? { ...state, detail: String(ownerUid) } : state)
    }
    for (const spec of wanted.routers) {
      this.#on.set(spec.id, { kind: 'router', networks: [...new Set([...spec.interfaces, ...(spec.gateway ? [spec.gateway] : [])].map((i) => i.networkId))] })
      const state = await ensure('router', spec.id, spec, onlyChanges?.routers, () => this.#driver.ensureRouter(ctx, spec))
      routers.push(state)
      for (const i of [...spec.interfaces, ...(spec.gateway ? [spec.gateway] : [])]) ports.push({ id: i.portId, state: state.state })
      for (const f of spec.floatingIps) floatingIps.push({ id: f.id, state: state.state, detail: state.state === 'up' ? f.fixedIp : state.detail })
    }

    const remove = async (kind: Kind, id: string, work: () => Promise<void>): Promise<void> => {
      this.#hashes.delete(`${kind}/${id}`)
      try {
        await work()
        this.#on.delete(id)
      } catch (error) {
        // A stranger's rules name it, or those of a port that could not be removed either: it goes with the next look after them.
        if (kind === 'group' && isFault(error, 'conflict')) return
        this.#log.warn({ host: this.#host, [kind]: id, error: explain(error) }, `a ${kind} could not be removed from this host`)
        out.errors.push(error)
      }
    }
    for (const id of wanted.remove.routers) await remove('router', id, () => this.#driver.removeRouter(ctx, id))
    for (const id of wanted.remove.ports) {
      this.plugged.delete(id)
      await remove('port', id, () => this.#driver.removePort(ctx, id))
      ports.push({ id, state: 'down' })
    }
    for (const id of wanted.remove.groups) await remove('group', id, () => this.#driver.removeGroup(ctx, id))
    for (const id of wanted.remove.networks) await remove('network', id, () => this.#driver.removeNetwork(ctx, id))
    out.report = { networks, ports, routers, floatingIps }
    return out
  }

  /** What was applied without an error and has not been removed since; with `present` only what of it stands. */
  standing(kind: 'network' | 'group', present?: string[]): string[] {
    const prefix = `${kind}/`
    const ids = [...this.#hashes.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
    return present ? ids.filter((id) => present.includes(id)) : ids
  }

  /** Whether anything of this is here: a change of it must be seen to at once. */
  isHere(kind: Kind, id: string): boolean { return kind === 'port' ? this.plugged.has(id) || this.#on.has(id) : this.#hashes.has(`${kind}/${id}`) }

  /** Routers and ports that stand on these networks here: they go first. */
  dependentsOf(networks: string[]): { ports: string[], routers: string[] } {
    const out = { ports: [] as string[], routers: [] as string[] }
    if (networks.length > 0) for (const [id, { kind, networks: own }] of this.#on) if (own.some((n) => networks.includes(n))) out[kind === 'port' ? 'ports' : 'routers'].push(id)
    return out
  }

  async unplug(ctx: Context, portId: string): Promise<void> {
    this.plugged.delete(portId)
    this.#hashes.delete(`port/${portId}`)
    await this.#driver.removePort(ctx, portId)
    this.#on.delete(portId)
  }
}
