// Sends every operation of every service what nobody should send it, on a whole cloud with fake drivers: no 5xx, no hang, nothing of the inside shown.
import { setImmediate as turn } from 'node:timers/promises'
import { Agent, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Operation } from '#kit/http/operation.ts'
import type { ServiceModule } from '#kit/service.ts'
import type { AccessCase } from '#kit/testing/access.ts'
import { testCloud, type TestCloud } from '../cloud.ts'
import { cloudWorld, roomy, type CloudWorld } from '../world.ts'
import { randomOf } from './random.ts'
import { indecent, requestFor, type Base, type WireRequest } from './requests.ts'

export interface Finding { service: string, operation: string, seed: string, index: number, what: string, request: WireRequest }
export interface FuzzOptions {
  logLevel?: 'error' | 'warn'
  hangMs?: number
}
export interface FuzzReport { requests: number, byStatus: Map<number, number>, findings: Finding[] }

/** A fixture serves so many requests: afterwards it is made afresh, for many are deleted or broken by then. */
const freshEvery = 25

export interface Fuzzer {
  /** Sends an operation the first `count` cases of a seed. */
  operation(module: ServiceModule<any>, op: Operation, cases: AccessCase[], seed: string, count: number): Promise<void>
  report: FuzzReport
  /** The heap after everything that can go has gone, MiB. */
  heapMib(): Promise<number>
  close(): Promise<void>
}

export async function startFuzzer(options: FuzzOptions = {}): Promise<Fuzzer> {
  const report: FuzzReport = { requests: 0, byStatus: new Map(), findings: [] }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let cloud!: TestCloud, world!: CloudWorld
  const begin = async (): Promise<void> => {
    cloud = await testCloud({ ...roomy, ...(options.logLevel && { logLevel: options.logLevel }) })
    world = await cloudWorld(cloud)
  }
  await begin()
  // What was sent may have disabled a project or a quota that all fixtures need: then it is a new cloud's turn.
  const baseOf = async (cases: AccessCase[], index: number): Promise<Base | undefined> => {
    const one = cases[index % Math.max(1, cases.length)]
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        const { stream, ...call } = await one?.request?.(world.world) ?? {}
        return { ...call, ...(stream && { bytes: await buffer(stream) }) }
      } catch (error) {
        if (attempt === 1) throw error
        await cloud.close()
        await begin()
      }
    }
    return undefined
  }
  const send = (wire: WireRequest, token: string | undefined): Promise<{ status: number, type: string | undefined, body: Buffer }> => new Promise((resolve, reject) => {
    const req = request(new URL(cloud.url), { method: wire.method, agent, path: wire.path, headers: { ...wire.headers, ...(token !== undefined && { 'x-auth-token': token }), ...(wire.body && { 'content-length': wire.body.length }) } }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => resolve({ status: res.statusCode!, type: res.headers['content-type'], body: Buffer.concat(chunks) }))
      res.on('error', reject)
    })
    req.setTimeout(options.hangMs ?? 20_000, () => req.destroy(new Error('hangs')))
    req.on('error', reject)
    req.end(wire.body)
  })
  return {
    report,
    async operation(module, op, cases, seed, count) {
      const service = module.http
      let base: Base | undefined
      for (let index = 0; index < count; index++) {
        if (index % freshEvery === 0) base = await baseOf(cases, index / freshEvery)
        const random = randomOf(seed, service.name, op.name, index)
        const wire = requestFor(service, op, base, random)
        const found = (what: string): void => { report.findings.push({ service: service.name, operation: op.name, seed, index, what, request: wire }) }
        try {
          const { status, type, body } = await send(wire, random.chance(0.02) ? 'no-token' : world.token(random.chance(0.15) ? 'member' : 'admin'))
          report.requests++
          report.byStatus.set(status, (report.byStatus.get(status) ?? 0) + 1)
          const what = indecent(status, type, body)
          if (what) found(`${what}: ${body.toString().slice(0, 200)}`)
        } catch (error) {
          // A server that refuses a body may close before it has read all of it.
          if (!['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')) found(String(error))
        }
      }
    },
    async heapMib() {
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc') as () => void
      for (let i = 0; i < 3; i++) { await turn(); collect() }
      return process.memoryUsage().heapUsed / 1024 ** 2
    },
    async close() { agent.destroy(); await cloud.close() },
  }
}

/** All operations of a service that `wants` holds good for. */
export async function fuzzService(fuzzer: Fuzzer, module: ServiceModule<any>, seed: string, count: number, wants: (op: Operation) => boolean = () => true): Promise<void> {
  const cases = await module.access()
  for (const op of module.http.operations.filter(wants)) await fuzzer.operation(module, op, cases.filter((c) => c.operation === op.name), seed, count)
}

/** One line a finding, each kind once an operation, and how to see it again. */
export function tell(findings: Finding[]): string {
  const kinds = Map.groupBy(findings, (f) => `${f.service}.${f.operation} ${f.what.slice(0, 40)}`)
  return [...kinds.values()].map(([f, ...more]) => `${f!.service}.${f!.operation} #${f!.index}${more.length > 0 ? ` (and ${more.length} more)` : ''} ${f!.what}\n  ${f!.request.method} ${f!.request.path.slice(0, 300)} ${JSON.stringify(f!.request.headers).slice(0, 200)}\n  ${f!.request.body?.toString().slice(0, 300) ?? ''}\n  again: node test/fuzz/main.ts --seed ${f!.seed} --only ${f!.service}.${f!.operation} --index ${f!.index}`).join('\n')
}
