// What is written down about an instance, and where. Everything lies in one directory that only root enters: QEMU gets its disks and sockets as open files.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { notFound } from '#base/errors.ts'
import { isMissing, readJson, writeJson } from '#host/files.ts'
import type { ProcessId } from '#host/processes.ts'
import type { InstanceSpec, Nic } from '../contract.ts'

export interface Layout {
  dir: string
  spec: string
  state: string
  disk: string
  configDrive: string
  /** What the guest had in memory, of a suspended one. */
  memory: string
  qmp: string
  serial: string
  vnc: string
  /** QEMU's working directory, the only place it may write to. */
  run: string
  /** The serial log, written by its keeper. */
  log: string
}

export const layoutOf = (stateDir: string, id: string): Layout => {
  if (!/^[\w-]{1,64}$/.test(id)) throw notFound(`Instance ${id} could not be found.`) // never a path
  const dir = join(stateDir, 'instances', id)
  const at = (name: string): string => join(dir, name)
  return {
    dir, spec: at('spec.json'), state: at('state.json'), disk: at('disk.qcow2'), configDrive: at('config.iso'), memory: at('memory'),
    qmp: at('qmp.sock'), serial: at('serial.sock'), vnc: at('vnc.sock'), run: at('run'), log: at('log'),
  }
}

/** A network card and the root port it sits in; a card keeps its port for as long as the machine exists. */
export interface Card extends Nic { port: number }

/** What the machine was built as when it started. A suspended one must be built alike, whatever its spec says meanwhile. */
export interface Shape { vcpus: number, memoryMib: number, cards: Card[], ports: number, configDrive: boolean, smbios: InstanceSpec['smbios'], name: string }

export interface State {
  /** 'running' is written before the process starts (paused ones included), so whatever may run is known to. */
  power: 'running' | 'shutdown' | 'suspended' | 'crashed'
  reason?: string
  /** The host's start in which `process` ran. */
  boot?: string
  process?: Processes
  shape?: Shape
}
export interface Processes { qemu: ProcessId, logKeeper?: ProcessId }

export const readSpec = (layout: Layout): Promise<InstanceSpec | undefined> => readJson<InstanceSpec>(layout.spec)
export const writeSpec = (layout: Layout, spec: InstanceSpec): Promise<void> => writeJson(layout.spec, spec, { durable: true })
export const readState = async (layout: Layout): Promise<State> => await readJson<State>(layout.state) ?? { power: 'shutdown', reason: 'never started' }
export const writeState = (layout: Layout, state: State): Promise<void> => writeJson(layout.state, state)

/** Ids of all instances, half-made ones included. */
export async function recordedIds(stateDir: string): Promise<string[]> {
  try {
    return await readdir(join(stateDir, 'instances'))
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
