// md5 and sha512 of bytes on their way, each in a thread of its own: two cores hash twice as fast as one, and the main thread goes on answering meanwhile
// (a MiB takes it 3 to 8 ms). The bytes lie in a shared ring and are never copied between threads. Small blobs are hashed on the spot.
import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { MIB } from '#base/units.ts'

export type Order = { job: number } & ({ what: 'begin', ring: SharedArrayBuffer } | { what: 'slot', at: number, length: number } | { what: 'end' } | { what: 'drop' })
type Answer = { job: number, done: true } | { job: number, digest: string }

const algorithms = ['md5', 'sha512'] as const
/** An idle thread costs memory, a new one 30 ms. */
const idleMs = 10_000

interface Thread { worker: Worker, order(order: Order): void }
interface Waiting { slots: { resolve(): void, reject(error: Error): void }[], digest?: { resolve(hex: string): void, reject(error: Error): void }, failure?: Error }

let threads: Thread[] | undefined, jobsRunning = 0, nextJob = 1, resting: NodeJS.Timeout | undefined
const waitingOf = new Map<string, Waiting>()

function start(): Thread[] {
  return algorithms.map((algorithm, which) => {
    const worker = new Worker(new URL('./hash-thread.ts', import.meta.url), { workerData: { algorithm }, env: {} })
    worker.on('message', (answer: Answer) => {
      const waiting = waitingOf.get(`${answer.job}.${which}`)
      if ('done' in answer) waiting?.slots.shift()?.resolve()
      else waiting?.digest?.resolve(answer.digest)
    })
    const failed = (error: Error): void => {
      rest()
      for (const waiting of waitingOf.values()) { waiting.failure = error; for (const slot of waiting.slots) slot.reject(error); waiting.digest?.reject(error) }
    }
    worker.on('error', failed)
    worker.on('exit', code => { if (code !== 0) failed(new Error(`a hashing thread ended with ${code}`)) })
    return { worker, order: order => worker.postMessage(order) }
  })
}

function rest(): void {
  const idle = threads
  threads = undefined
  for (const { worker } of idle ?? []) void worker.terminate()
}

export interface Digests { md5: string, sha512: string }
export interface Hashing {
  /** Settles when the bytes at this place of the ring have been hashed and may be overwritten. Ask in the order of the bytes. */
  slot(at: number, length: number): Promise<void>
  end(): Promise<Digests>
  /** Call it once, at the end, whatever happened. */
  release(): void
}

/** Hashes what will be put into `ring` in the two threads, which are started for the first and rest after the last. */
export function hashInThreads(ring: SharedArrayBuffer): Hashing {
  clearTimeout(resting)
  jobsRunning++
  threads ??= start()
  const mine = threads, job = nextJob++
  const waiting = mine.map((thread, which): Waiting => {
    const own: Waiting = { slots: [] }
    waitingOf.set(`${job}.${which}`, own)
    thread.worker.ref()
    thread.order({ job, what: 'begin', ring })
    return own
  })
  const each = async <T>(ask: (own: Waiting, thread: Thread) => Promise<T>): Promise<T[]> => Promise.all(waiting.map((own, i) => own.failure ? Promise.reject(own.failure) : ask(own, mine[i]!)))
  return {
    async slot(at, length) {
      await each((own, thread) => new Promise<void>((resolve, reject) => { own.slots.push({ resolve, reject }); thread.order({ job, what: 'slot', at, length }) }))
    },
    async end() {
      const [md5, sha512] = await each((own, thread) => new Promise<string>((resolve, reject) => { own.digest = { resolve, reject }; thread.order({ job, what: 'end' }) }))
      return { md5: md5!, sha512: sha512! }
    },
    release() {
      mine.forEach((thread, which) => { waitingOf.delete(`${job}.${which}`); if (threads === mine) thread.order({ job, what: 'drop' }) })
      if (--jobsRunning > 0) return
      for (const { worker } of mine) worker.unref()
      resting = setTimeout(rest, idleMs).unref()
    },
  }
}

/** The digests of bytes that are all there. Lets others have a turn after each MiB. */
export async function hashAtOnce(bytes: Uint8Array): Promise<Digests> {
  const [md5, sha512] = algorithms.map(algorithm => createHash(algorithm))
  for (let at = 0; at < bytes.length; at += MIB) {
    const part = bytes.subarray(at, at + MIB)
    md5!.update(part)
    sha512!.update(part)
    await turn()
  }
  return { md5: md5!.digest('hex'), sha512: sha512!.digest('hex') }
}
