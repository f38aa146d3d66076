// How the bench looks at the process under measurement: its CPU and memory from /proc, and a client that keeps its connections.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { once } from 'node:events'

const ticksPerSecond = 100

/** User and system CPU of a process, milliseconds. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * (1000 / ticksPerSecond)
}
/** Proportional set size, MiB. */
export const pssMib = (pid: number): number => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]) / 1024

/** How fast this machine is today: milliseconds for 200 MB of sha512 in one thread. */
export function calibrate(): number {
  const chunk = Buffer.alloc(1024 ** 2, 7), t0 = performance.now(), hash = createHash('sha512')
  for (let i = 0; i < 200; i++) hash.update(chunk)
  hash.digest()
  return performance.now() - t0
}

export interface Server { pid: number, url: string, readyMs: number, stop(): Promise<void> }

/** As `./pileus` starts it. */
const flags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=8', '--heap-growing-percent=40']
/** Starts a script that prints `{"url": …}` when it answers. */
export async function start(script: string, argument: object, cache: string): Promise<Server> {
  const t0 = performance.now()
  const child = spawn(process.execPath, [...flags, script, JSON.stringify(argument)], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_COMPILE_CACHE: cache } })
  const died = once(child, 'exit').then(([code]) => { throw new Error(`${script} ended with ${code}`) })
  died.catch(() => {})
  const [line] = await Promise.race([once(child.stdout, 'data') as Promise<[Buffer]>, died])
  return {
    pid: child.pid!, url: (JSON.parse(String(line)) as { url: string }).url, readyMs: performance.now() - t0,
    async stop() { const ended = once(child, 'exit'); child.kill('SIGTERM'); await ended },
  }
}

export interface Reply { status: number, headers: Record<string, string | string[] | undefined>, body: any }
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

/** `raw`: the body is not looked at, which costs the machine as much as making it. */
export function http(url: string, method: string, path: string, token?: string, body?: unknown, headers: Record<string, string> = {}, raw?: 'raw'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const req = request(url + path, { method, agent, headers: { ...headers, ...(token && { 'x-auth-token': token }), ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }) } }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => {
        if (raw) { resolve({ status: res.statusCode!, headers: res.headers, body: undefined }); return }
        const text = Buffer.concat(chunks).toString()
        resolve({ status: res.statusCode!, headers: res.headers, body: res.headers['content-type']?.includes('json') && text !== '' ? JSON.parse(text) : text })
      })
    })
    req.on('error', reject)
    req.end(bytes)
  })
}

export interface Figure { n: number, cpuMs: number, p50Ms: number, p99Ms: number, perSecond: number }

/** Runs `work` n times, `clients` at once, and tells the server's CPU per call. */
export async function measure(pid: number, n: number, clients: number, work: (i: number) => Promise<unknown>): Promise<Figure> {
  const took: number[] = []
  let next = 0
  const before = cpuMs(pid), t0 = performance.now()
  await Promise.all(Array.from({ length: clients }, async () => {
    for (let i = next++; i < n; i = next++) {
      const at = performance.now()
      await work(i)
      took.push(performance.now() - at)
    }
  }))
  const wall = performance.now() - t0
  took.sort((a, b) => a - b)
  const at = (q: number): number => took[Math.min(took.length - 1, Math.floor(q * took.length))]!
  return { n, cpuMs: (cpuMs(pid) - before) / n, p50Ms: at(0.5), p99Ms: at(0.99), perSecond: (n * 1000) / wall }
}
