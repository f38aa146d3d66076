// One thread, one algorithm: hashes the slots of shared rings in the order it is told to. See hashing.ts.
import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import type { Order } from './hashing.ts'

const { algorithm } = workerData as { algorithm: string }
const jobs = new Map<number, { hash: Hash, ring: Buffer }>()

parentPort?.on('message', (order: Order) => {
  if (order.what === 'begin') return void jobs.set(order.job, { hash: createHash(algorithm), ring: Buffer.from(order.ring) })
  const job = jobs.get(order.job)
  if (!job) return
  if (order.what === 'slot') {
    job.hash.update(job.ring.subarray(order.at, order.at + order.length))
    return void parentPort?.postMessage({ job: order.job, done: true })
  }
  jobs.delete(order.job)
  if (order.what === 'end') parentPort?.postMessage({ job: order.job, digest: job.hash.digest('hex') })
})
