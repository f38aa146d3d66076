// The process that runs a cloud: takes its directory, starts everything, tells when it is ready, ends in order.
import { rename, stat } from 'node:fs/promises'
import type { Server } from 'node:net'
import { explain } from '#base/errors.ts'
import { startOf } from '#host/processes.ts'
import { startCloud, type Cloud } from './cloud.ts'
import type { DriverName } from './config.ts'
import { alreadyRuns } from './control.ts'
import { writeCredentials, type CredentialFiles } from './credentials.ts'
import { front } from './front.ts'
import { createMetrics } from './metrics.ts'
import { startOperator, type Operator } from './operator.ts'
import { seed } from './seed.ts'
import { configOf, type Settings } from './settings.ts'
import { startedAt } from './status-report.ts'
import { controlSocketOf, forgetRunning, lock, logFileOf, noteRunning, openStateDir, type Running, type StateDir } from './state-dir.ts'
import { Usage } from './usage.ts'

/** What is told when the cloud is up; also `up --json`'s answer. */
export interface Ready {
  endpoint: string
  auth_url: string
  cloud_id: string
  driver: DriverName
  state_dir: string
  clouds_yaml: string
  openrc: string
  openrc_admin: string
  log: string
  operator_url: string
  pid: number
  started_in_ms: number
}

export interface Served { ready: Ready, cloud: Cloud, stop(): Promise<void> }

const largestLog = 64 * 1024 ** 2

/** Starts the cloud of these settings in this process. Throws a Usage for what the person can mend; then nothing is left running. */
export async function serve(settings: Settings, seedImage: string | undefined, say: (line: string) => void): Promise<Served> {
  const from = performance.now()
  const held = await lock(settings.stateDir)
  if (!held) throw new Usage(await alreadyRuns(settings.stateDir))
  try {
    return await serveHeld(settings, held, seedImage, say, from)
  } catch (error) {
    await forgetRunning(settings.stateDir).catch(() => {})
    await new Promise((done) => held.close(done))
    throw error
  }
}

async function serveHeld(settings: Settings, held: Server, seedImage: string | undefined, say: (line: string) => void, from: number): Promise<Served> {
  const dir = await openStateDir(settings.stateDir, settings.driver, settings.external)
  if (dir.isNew) say(`making a new cloud in ${dir.path}`)
  const running: Running = { pid: process.pid, startTicks: (await startOf(process.pid))!, state: 'starting', startedAt, url: '', operatorUrl: '' }
  await noteRunning(dir.path, running)
  await turnLogOver(logFileOf(dir.path))
  say('starting the control plane')

  const metrics = createMetrics()
  let url = ''
  const cloud = await startCloud(configOf(settings, dir, seedImage), { finished: metrics.finished, extra: front(() => url) }).catch((error: unknown) => { throw mendable(error, settings, dir) })
  url = cloud.url
  let operator: Operator | undefined
  let ending: Promise<void> | undefined
  const stop = (): Promise<void> => ending ??= (async () => {
    await operator?.close()
    await cloud.stop()
    await forgetRunning(dir.path)
    await new Promise((done) => held.close(done))
  })()
  try {
    operator = await startOperator(cloud, metrics, { port: settings.operatorPort, socket: controlSocketOf(dir.path) })
    await seed(cloud, say)
    const files = await writeCredentials(dir.path, url, dir.secrets, settings.tls?.selfSignedFile)
    await noteRunning(dir.path, { ...running, state: 'up', url, operatorUrl: operator.url })
    return { ready: readyOf(cloud, dir, files, operator.url, performance.now() - from), cloud, stop }
  } catch (error) {
    await stop()
    throw mendable(error, settings, dir)
  }
}

const readyOf = ({ url, config }: Cloud, dir: StateDir, files: CredentialFiles, operatorUrl: string, tookMs: number): Ready => ({
  endpoint: url, auth_url: `${url}/identity/v3`, cloud_id: config.cloudId, driver: config.driver, state_dir: dir.path, clouds_yaml: files.cloudsYaml, openrc: files.openrc, openrc_admin: files.openrcAdmin,
  log: logFileOf(dir.path), operator_url: operatorUrl, pid: process.pid, started_in_ms: Math.round(tookMs),
})

/** A failure of the start in words that say what to do; what is not known here stays as it is. */
function mendable(error: unknown, settings: Settings, dir: StateDir): unknown {
  if (error instanceof Usage) return error
  const { code, port, address, syscall } = error as NodeJS.ErrnoException & { port?: number, address?: string }
  if (code === 'EADDRINUSE' && port !== undefined) {
    const option = port === settings.listen.port ? '--port' : '--operator-port'
    return new Usage(`port ${port} is in use by another program; choose another with ${option}, or find it with: ss -ltnp 'sport = :${port}'`)
  }
  if (code === 'EADDRNOTAVAIL') return new Usage(`this host has no address ${address ?? settings.listen.address}; give one of its own to --listen`)
  if (code === 'EACCES' && syscall === 'listen') return new Usage(`port ${port ?? settings.listen.port} is for root only; choose one above 1023 with --port`)
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') return new Usage(`${settings.database ? 'the database or the message bus does' : 'the message bus does'} not answer: ${explain(error)}`)
  return new Usage(`the cloud could not start: ${explain(error)}\nMore may stand in ${logFileOf(dir.path)}`)
}

/** The log of a long-lived cloud is bounded: the former part is kept once. */
async function turnLogOver(file: string): Promise<void> {
  const size = await stat(file).then((s) => s.size, () => 0)
  if (size > largestLog) await rename(file, `${file}.1`)
}
