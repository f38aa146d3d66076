// Debian's unmodified tempest against a cloud: its configuration, some interpreters that share the classes among them, and what came of each test.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export interface TempestTest { id: string, outcome: 'pass' | 'fail' | 'skip', why: string, seconds: number }

/** Why tempest cannot run here; undefined when it can. */
export const missingTempest = (): string | undefined =>
  spawnSync('/usr/bin/python3', ['-c', 'import tempest'], { stdio: 'ignore' }).status === 0 ? undefined : 'needs tempest: apt-get install tempest'

/** Sections of tempest.conf. */
export type TempestConfig = Record<string, Record<string, string | number | boolean>>

export interface TempestRun { packages: string[], config: TempestConfig, dir: string, processes: number, /** Only classes whose name holds this. */ only?: string, heard?(test: TempestTest): void }

/** Runs every class below the packages. Each class runs in one interpreter from its set-up to its end, whichever is free. */
export async function runTempest({ packages, config, dir, processes, only, heard }: TempestRun): Promise<TempestTest[]> {
  await mkdir(join(dir, 'etc'), { recursive: true })
  await writeFile(join(dir, 'etc', 'tempest.conf'), Object.entries({ ...config, DEFAULT: { log_dir: dir, ...config.DEFAULT }, oslo_concurrency: { lock_path: join(dir, 'lock') } })
    .map(([section, values]) => `[${section}]\n${Object.entries(values).map(([key, value]) => `${key} = ${value}\n`).join('')}`).join('\n'))
  const results: TempestTest[] = []
  let queue: string[] | undefined
  const interpreter = (): Promise<void> => new Promise((resolve, reject) => {
    const child = spawn('/usr/bin/python3', ['-W', 'ignore', fileURLToPath(new URL('run-classes.py', import.meta.url)), ...packages], {
      stdio: ['pipe', 'pipe', 'pipe'], cwd: dir, env: { PATH: '/usr/bin:/bin', HOME: dir, LANG: 'C.UTF-8', TEMPEST_CONFIG_DIR: join(dir, 'etc'), TEMPEST_CONFIG: 'tempest.conf', OS_LOG_CAPTURE: '0' },
    })
    let said = '', running = ''
    child.stderr.on('data', (chunk: Buffer) => { said = (said + chunk.toString()).slice(-4000) })
    const next = (): void => { running = queue!.shift() ?? ''; if (running) child.stdin.write(`${running}\n`); else child.stdin.end() }
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = JSON.parse(line)
      if (told.id !== undefined) { results.push(told); heard?.(told) } else if (told.done !== undefined) next()
      else {
        // The longest first: none of them is waited for at the end.
        queue ??= Object.entries(told as Record<string, string[]>).filter(([name]) => !only || name.includes(only)).sort(([, a], [, b]) => b.length - a.length).map(([name]) => name)
        next()
      }
    })
    child.once('exit', (code) => (code === 0 && running === '' ? resolve() : reject(new Error(`tempest ended with ${code} in ${running || 'its beginning'}\n${said}`))))
  })
  await Promise.all(Array.from({ length: processes }, interpreter))
  return results
}

/** `tempest.api.identity.admin.v3.test_users.UsersV3TestJSON.test_x[id-…]` → `identity.admin.v3.test_users` */
export const moduleOf = (id: string): string => id.replace(/^setUpClass \((.*)\)$/, '$1').replace(/^tempest\.api\./, '').replace(/\.[A-Z].*$/, '')
/** Without the uuids and attributes in brackets, which change between releases. */
export const nameOf = (id: string): string => id.replace(/\[.*$/, '')

/** A line a module: passed, failed, skipped; then the reasons of skips. */
export function summary(results: TempestTest[]): string {
  const lines = [...Map.groupBy(results, (r) => moduleOf(r.id))].sort(([a], [b]) => (a < b ? -1 : 1)).map(([module, list]) => {
    const of = (outcome: string): number => list.filter((r) => r.outcome === outcome).length
    return `${module.padEnd(60)} ${String(of('pass')).padStart(4)} passed ${String(of('fail')).padStart(3)} failed ${String(of('skip')).padStart(3)} skipped ${list.reduce((sum, r) => sum + r.seconds, 0).toFixed(0).padStart(5)} s`
  })
  const skips = [...Map.groupBy(results.filter((r) => r.outcome === 'skip'), (r) => r.why)].map(([why, list]) => `skipped ${list.length}: ${why.split('\n').at(-1)} (${[...new Set(list.map((r) => moduleOf(r.id)))].join(', ')})`)
  return [...lines, ...skips].join('\n')
}

export interface Known {
  /** By the test's name without its id: why it fails. */
  failures: Record<string, string>
  /** The same for those that sometimes pass. */
  unsteady?: Record<string, string>
  /** What tempest says of the tests it skips, and why that is right. */
  skips: readonly (readonly [RegExp, string])[]
  /** Fewer than so many that pass: something is wrong with the run itself. */
  least: number
}

/** Runs tempest and fails for whatever is not known, known failures that pass included. */
export async function judgeTempest(t: TestContext, run: Pick<TempestRun, 'packages' | 'config' | 'dir' | 'only'>, { failures, unsteady = {}, skips, least }: Known): Promise<void> {
  const missing = missingTempest()
  if (missing !== undefined) throw new Error(missing)
  const results = await runTempest({ ...run, processes: availableParallelism() + 1 })
  for (const line of summary(results).split('\n')) t.diagnostic(line)
  const told = results.filter((r) => r.outcome === 'fail' && !Object.hasOwn(failures, nameOf(r.id)) && !Object.hasOwn(unsteady, nameOf(r.id))).map((r) => `${nameOf(r.id)}\n${r.why}`).join('\n\n')
  assert.ok(told === '', `failed and not known:\n${told}`)
  const passed = new Set(results.filter((r) => r.outcome === 'pass').map((r) => nameOf(r.id)))
  assert.deepEqual(Object.keys(failures).filter((name) => passed.has(name)), [], 'known to fail, and passed: take them from the list')
  assert.deepEqual([...new Set(results.filter((r) => r.outcome === 'skip' && !skips.some(([pattern]) => pattern.test(r.why))).map((r) => `${nameOf(r.id)}: ${r.why.slice(-300)}`))], [], 'skipped for a reason that is not known')
  assert.ok(passed.size > least, `only ${passed.size} passed`)
}
