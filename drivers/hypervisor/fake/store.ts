// Where the fake keeps its instances: a map in memory, and with a state directory a JSON file each, so that a restarted control plane finds them.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDirectory, readJson, removeFile, writeJson } from '#host/files.ts'
import type { InstanceSpec, Power } from '../contract.ts'

export interface FakeInstance { spec: InstanceSpec, power: Power, reason?: string, console: string }

export interface FakeStore {
  all(): Promise<Map<string, FakeInstance>>
  put(instance: FakeInstance): Promise<void>
  drop(id: string): Promise<void>
  /** Waits for writes under way. */
  settled(): Promise<void>
}

export function fakeStore(directory: string | undefined): FakeStore {
  const instances = new Map<string, FakeInstance>()
  if (directory === undefined) {
    return {
      all: async () => instances, put: async instance => { instances.set(instance.spec.id, instance) },
      drop: async id => { instances.delete(id) }, settled: async () => {},
    }
  }
  let loading: Promise<void> | undefined
  const load = async (): Promise<void> => {
    await ensureDirectory(directory)
    for (const name of (await readdir(directory)).filter(name => name.endsWith('.json'))) {
      const instance = await readJson<FakeInstance>(join(directory, name))
      if (instance) instances.set(instance.spec.id, instance)
    }
  }
  const loaded = (): Promise<void> => loading ??= load()
  // One write after the other: two writes of one file must not overtake each other.
  let last: Promise<void> = Promise.resolve()
  const inOrder = (work: () => Promise<unknown>): Promise<void> => {
    const run = last.then(async () => { await work() })
    last = run.catch(() => {})
    return run
  }
  return {
    async all() { await loaded(); return instances },
    async put(instance) {
      await loaded()
      instances.set(instance.spec.id, instance)
      await inOrder(() => writeJson(join(directory, `${instance.spec.id}.json`), instance))
    },
    async drop(id) {
      await loaded()
      instances.delete(id)
      await inOrder(() => removeFile(join(directory, `${id}.json`)))
    },
    settled: () => last,
  }
}
