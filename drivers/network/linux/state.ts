// What we remember about what we made: one small file an object, read once, kept in memory. The kernel is the truth about what stands;
// this adds what the kernel cannot tell (whose rules, which number). Written before the kernel is touched, so that no number is given twice.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { unavailable } from '#base/errors.ts'
import { ensureDirectory, readJson, removeFile, writeJson } from '#host/files.ts'
import type { AddressGroupSpec, NetworkSpec, PortSpec, RouterSpec } from '#drivers/network/contract.ts'
import { short } from './names.ts'

export interface NetworkState {
  spec: NetworkSpec
  /** The network's number on this host: its conntrack zone, and its address in the metadata namespace. */
  index: number
}
export interface PortState {
  spec: PortSpec
  /** The packet mark that names the port while a packet crosses the bridge. */
  mark: number
}
export interface RouterState {
  spec: RouterSpec
  /** For each inside interface (by port) its number in the metadata namespace, from the same pool as networks'. */
  attachments: Record<string, number>
}

export interface GroupState { spec: AddressGroupSpec }

/** Those that the kernel lists. Groups are not among them: they stand because the tables are made from what is remembered. */
const listed = ['networks', 'ports', 'routers'] as const
const kinds = [...listed, 'groups'] as const
type Kind = typeof kinds[number]
/** Conntrack zones are 16 bits; 0 is everybody's. */
const lastIndex = 65_535

export class State {
  readonly networks = new Map<string, NetworkState>()
  readonly groups = new Map<string, GroupState>()
  readonly ports = new Map<string, PortState>()
  readonly routers = new Map<string, RouterState>()
  readonly #folder: string
  #counter = 0
  #markCounter = 0

  constructor(folder: string) { this.#folder = folder }

  async load(): Promise<void> {
    for (const kind of kinds) {
      const folder = join(this.#folder, kind)
      await ensureDirectory(folder)
      for (const name of await readdir(folder)) {
        if (!name.endsWith('.json')) { await removeFile(join(folder, name)); continue } // a write that a crash cut off
        const value = await readJson<NetworkState & PortState & RouterState & GroupState>(join(folder, name)).catch(() => undefined)
        if (value?.spec?.id === undefined) await removeFile(join(folder, name))
        else (this[kind] as Map<string, unknown>).set(value.spec.id, value)
      }
    }
    this.#counter = (await readJson<{ index: number }>(join(this.#folder, 'counter.json')).catch(() => undefined))?.index ?? 0
    this.#markCounter = Math.max(0, ...[...this.ports.values()].map(port => port.mark))
  }

  /** Forgets what does not stand (any more): after a reboot, or a crash between our writing and the kernel's doing. */
  async keepOnly(stands: { networks: Set<string>, ports: Set<string>, routers: Set<string> }): Promise<void> {
    for (const kind of listed) for (const id of this[kind].keys()) if (!stands[kind].has(id)) await this.#drop(kind, id)
  }

  /**
   * A number no network or router interface has. Numbers go round, so that one comes back late: connections of a removed network, still in the
   * kernel's table for a while, must not meet a new one in the same zone.
   */
  #nextIndex(taken: Iterable<number> = []): number {
    const used = new Set([...taken, ...[...this.networks.values()].map(n => n.index), ...[...this.routers.values()].flatMap(r => Object.values(r.attachments))])
    for (let tries = 0; tries < lastIndex; tries++) {
      this.#counter = this.#counter % lastIndex + 1
      if (used.has(this.#counter)) continue
      return this.#counter
    }
    throw unavailable(`This host has ${lastIndex} networks, no more are possible`)
  }

  async #saveCounter(): Promise<void> { await writeJson(join(this.#folder, 'counter.json'), { index: this.#counter }) }

  async putNetwork(spec: NetworkSpec): Promise<NetworkState> {
    const before = this.networks.get(spec.id)
    const state = { spec, index: before?.index ?? this.#nextIndex() }
    this.networks.set(spec.id, state)
    if (before === undefined) await this.#saveCounter()
    await this.#write('networks', spec.id, state)
    return state
  }

  async putGroup(spec: AddressGroupSpec): Promise<void> {
    this.groups.set(spec.id, { spec })
    await this.#write('groups', spec.id, { spec })
  }

  async putPort(spec: PortSpec): Promise<PortState> {
    const state = { spec, mark: this.ports.get(spec.id)?.mark ?? this.#nextMark() }
    this.ports.set(spec.id, state)
    await this.#write('ports', spec.id, state)
    return state
  }

  #nextMark(): number {
    const used = new Set([...this.ports.values()].map(port => port.mark))
    do { this.#markCounter = this.#markCounter % 0x7fff_fffe + 1 } while (used.has(this.#markCounter))
    return this.#markCounter
  }

  async putRouter(spec: RouterSpec): Promise<RouterState> {
    const before = this.routers.get(spec.id)?.attachments ?? {}
    const attachments: Record<string, number> = {}
    for (const { portId } of spec.interfaces) attachments[portId] = before[portId] ?? this.#nextIndex([...Object.values(before), ...Object.values(attachments)])
    const state = { spec, attachments }
    this.routers.set(spec.id, state)
    await this.#saveCounter()
    await this.#write('routers', spec.id, state)
    return state
  }

  async drop(kind: Kind, id: string): Promise<void> { await this.#drop(kind, id) }

  #path(kind: Kind, id: string): string { return join(this.#folder, kind, `${id}.json`) }
  async #write(kind: Kind, id: string, state: object): Promise<void> { await writeJson(this.#path(kind, id), state) }
  async #drop(kind: Kind, id: string): Promise<void> {
    this[kind].delete(id)
    await removeFile(this.#path(kind, id))
  }

  /** Which network an address in the metadata namespace stands for. */
  networkOfIndex(index: number): string | undefined {
    for (const [id, network] of this.networks) if (network.index === index) return id
    for (const { spec, attachments } of this.routers.values()) {
      const portId = Object.keys(attachments).find(key => attachments[key] === index)
      if (portId !== undefined) return spec.interfaces.find(i => i.portId === portId)?.networkId
    }
    return undefined
  }

  /** Whose an address on a network is: a port here, else one the leases tell of (a guest on another host). */
  portOfAddress(networkId: string, address: string): string | undefined {
    for (const { spec } of this.ports.values()) if (spec.networkId === networkId && spec.ips.includes(address)) return spec.id
    return this.networks.get(networkId)?.spec.leases.find(lease => lease.ips.some(ip => ip.address === address))?.portId
  }
}

/** Finds the id behind a short name among known ids; the short name itself if none is known. */
export const idOfShort = (known: Iterable<string>, name: string): string => {
  for (const id of known) if (short(id) === name) return id
  return name
}
