// Starts test files in processes of their own, gathers what they say, and sums it up.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join, relative, resolve as absolute } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { projectFiles } from './project-files.ts'
import type { ReporterLine, TestEvent } from './test-reporter.ts'

export const root = join(import.meta.dirname, '..')

export interface Summary { passed: number, failed: number, skipped: number, results: TestEvent[] }

const isReal = (file: string): boolean => file.endsWith('.real.test.ts')
/** Test files: of the inner loop (no root, no servers), or the real ones. */
export async function testFiles(kind: 'unit' | 'real', pattern?: string): Promise<string[]> {
  const all = (await projectFiles(root)).filter((file) => file.endsWith('.test.ts') && (pattern === undefined || file.includes(pattern)))
  return all.filter((file) => isReal(file) === (kind === 'real'))
}

export interface RunOptions {
  /** A single test may take so long. */
  timeoutMs: number
  /** All files of the process together; then it is killed. */
  totalMs: number
}

/** Runs the files in one process. Whatever way it ends, something is said about each failure. */
export function runTogether(files: string[], options: RunOptions): Promise<TestEvent[]> {
  const results: TestEvent[] = []
  let said = '', ended = false
  // The mark of a running test would make node:test refuse to run anything below it.
  const { NODE_TEST_CONTEXT: _mark, ...env } = process.env
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning', '--test', '--test-isolation=none', '--test-concurrency=1', `--test-timeout=${options.timeoutMs}`,
    // What a test left open (a socket, a timer) does not hold up the end.
    '--test-force-exit', `--test-reporter=${join(import.meta.dirname, 'test-reporter.ts')}`, '--test-reporter-destination=stdout', ...files.map((file) => absolute(root, file)),
  ], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  const listen = (chunk: Buffer): void => { said = (said + chunk.toString()).slice(-20_000) }
  child.stdout!.on('data', listen)
  child.stderr!.on('data', listen)
  const timer = setTimeout(() => child.kill('SIGKILL'), options.totalMs)
  createInterface({ input: child.stdio[3] as Readable }).on('line', (text) => {
    const line = JSON.parse(text) as ReporterLine
    if ('end' in line) ended = true
    else results.push({ ...line, file: relative(root, line.file) })
  })
  return new Promise((done) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (!ended) {
        const how = signal === 'SIGKILL' ? `was killed (it may take ${options.totalMs / 1000} s)` : `ended with ${signal ?? `code ${code}`}`
        const last = results.at(-1)
        results.push({ file: files.length === 1 ? files[0]! : `(${files.length} files together)`, name: 'the test process', passed: false, tookMs: 0, error: `it ${how} before all tests were done; the last one heard of: ${last ? `${last.file}: ${last.name}` : 'none'}\n${said.trim()}` })
      } else if (results.some((r) => !r.passed) && said.trim() !== '') {
        // What was printed helps to understand a failure, and is noise otherwise.
        process.stderr.write(`${said.trim().slice(-4000)}\n`)
      }
      done(results)
    })
  })
}

/** The inner loop: processes that each run many files one after another, as many at a time as there are cores; more of them than cores, so that none is alone at the end. `totalMs`: the longest a process may take. */
export async function runUnit(files: string[], totalMs = 600_000): Promise<TestEvent[]> {
  const cores = Math.max(1, availableParallelism()), shards = Math.min(files.length, cores * 3)
  const lists = Array.from({ length: shards }, (_x, i) => files.filter((_file, n) => n % shards === i))
  const results: TestEvent[] = []
  const lane = async (): Promise<void> => {
    for (let list = lists.shift(); list; list = lists.shift()) results.push(...await runTogether(list, { timeoutMs: 120_000, totalMs }))
  }
  await Promise.all(Array.from({ length: cores }, lane))
  return results
}

/** These change or compare the machine itself (links, namespaces, mounts) or need guests: never two of them at once. */
const changesMachine = (file: string): boolean => /^(drivers|tools)\/|full-disk|user-story/.test(file)
/** These start database servers, brokers or directories: never two of them at once either. */
const startsServers = (file: string): boolean => /engines|databases|rabbitmq|mariadb|postgres|two-planes|ldap/.test(file)

/**
 * Two lanes side by side, in each a file at a time in a process of its own: one for the machine's, one for the servers', and whichever is through with its own
 * takes of the rest. `leftMs` says how much time all of them have left; a file without any is a failure.
 */
export async function runReal(files: string[], leftMs: () => number, tell: (file: string, found: TestEvent[], tookMs: number) => void): Promise<TestEvent[]> {
  const results: TestEvent[] = []
  const run = async (file: string): Promise<void> => {
    const from = performance.now(), left = leftMs()
    const found = left > 0 ? await runTogether([file], { timeoutMs: 600_000, totalMs: Math.min(900_000, left) }) : [{ file, name: 'not begun: the time for all tests was over', passed: false, tookMs: 0 }]
    results.push(...found)
    tell(file, found, performance.now() - from)
  }
  const machine = files.filter(changesMachine), servers = files.filter((file) => !changesMachine(file) && startsServers(file))
  const rest = files.filter((file) => !changesMachine(file) && !startsServers(file))
  const lane = async (own: string[]): Promise<void> => {
    for (const file of own) await run(file)
    for (let file = rest.shift(); file; file = rest.shift()) await run(file)
  }
  await Promise.all([lane(machine), lane(servers)])
  return results
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`

export function printFailures(results: TestEvent[]): void {
  for (const r of results.filter((x) => !x.passed)) {
    process.stdout.write(`\n✖ ${r.file}${r.line === undefined ? '' : `:${r.line}`}: ${r.name}\n${(r.error ?? '').split('\n').map((line) => `    ${line}`).join('\n')}\n`)
  }
}

/** Where tests that are made by a function come from, the first word of their names says: `identity: who may …`. */
const groupOf = ({ file, name }: TestEvent): string => (file.includes('.test.') ? file : `${file} (${/^(\w+):/.exec(name)?.[1] ?? 'others'})`)

/** Where the time goes: the longest, and what all took together. Side by side they take less. */
export function printSpent(spent: { what: string, ms: number }[], most = 15): void {
  const sums = [...Map.groupBy(spent, (s) => s.what)].map(([what, list]) => ({ what, ms: list.reduce((sum, s) => sum + s.ms, 0) })).sort((a, b) => b.ms - a.ms)
  process.stdout.write(`\nWhere the time goes (${seconds(sums.reduce((sum, s) => sum + s.ms, 0))}, side by side):\n${sums.slice(0, most).map(({ what, ms }) => `  ${seconds(ms).padStart(8)}  ${what}`).join('\n')}\n`)
}
export const spentInTests = (results: TestEvent[]): { what: string, ms: number }[] => results.map((r) => ({ what: groupOf(r), ms: r.ownMs ?? r.tookMs }))

/** Counts, what was skipped and why, the slowest ten; the last line is for machines. */
export function summarize(results: TestEvent[]): Summary {
  const skipped = results.filter((r) => r.skipped !== undefined)
  const failed = results.filter((r) => !r.passed)
  return { passed: results.length - skipped.length - failed.length, failed: failed.length, skipped: skipped.length, results }
}

export function printSummary(summary: Summary, tookMs: number): void {
  const { results } = summary
  const skipped = results.filter((r) => r.skipped !== undefined)
  if (skipped.length > 0) process.stdout.write(`\nSkipped:\n${skipped.map((r) => `  ${r.file}: ${r.name} (${r.skipped})`).join('\n')}\n`)
  const slowest = results.toSorted((a, b) => b.tookMs - a.tookMs).slice(0, 10)
  process.stdout.write(`\nThe slowest ten:\n${slowest.map((r) => `  ${seconds(r.tookMs).padStart(8)}  ${r.file}: ${r.name}`).join('\n')}\n`)
  process.stdout.write(`\nIn ${seconds(tookMs)}, ${new Set(results.map((r) => r.file)).size} files:\n${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped\n`)
}

/** One line a file: how many tests of it went how. */
export function fileLine(file: string, results: TestEvent[], tookMs: number): string {
  const { passed, failed, skipped } = summarize(results)
  return `${failed > 0 ? '✖' : '✔'} ${file}: ${passed} passed${failed > 0 ? `, ${failed} failed` : ''}${skipped > 0 ? `, ${skipped} skipped` : ''} (${seconds(tookMs)})\n`
}
