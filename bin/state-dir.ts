// A cloud's directory: its identity, its secrets, and who runs it now.
import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { newSecret } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import { readJson } from '#host/files.ts'
import { isRunning, type ProcessId } from '#host/processes.ts'
import type { DriverName } from './config.ts'
import { freeRange, type External } from './external-range.ts'
import { Usage } from './usage.ts'

export const defaultStateDir = (): string => (process.getuid?.() === 0 ? '/var/lib/pileus' : join(homedir(), '.local/share/pileus'))

/** What a cloud is from its first day; never changed. */
export interface Identity {
  id: string
  createdAt: string
  driver: DriverName
  /** The external network that is seeded: chosen once, where the host had room. */
  external: External
}
/** Generated, kept in a file only its owner reads. */
export interface Secrets { adminPassword: string, demoPassword: string, sealKey: string }

/** Text as it stands, anything else as JSON. Never seen half-written, never readable by others. */
export const writePrivately = async (path: string, value: unknown): Promise<void> => {
  await writeFile(`${path}.new`, typeof value === 'string' ? value : `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}
export interface StateDir { path: string, identity: Identity, secrets: Secrets, isNew: boolean }

/** What the runtime prints goes here when the cloud runs in the background; it may be there before the cloud is. */
export const outputFileOf = (dir: string): string => join(resolve(dir), 'pileus.out')

/** The cloud that lies in the directory, if one does. Throws a Usage when the directory cannot be this cloud's. */
export async function checkStateDir(path: string, driver: DriverName): Promise<Identity | undefined> {
  const dir = resolve(path)
  const there = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new Usage(`${dir} cannot be read (${error.code}); choose another --state-dir`)
    return []
  })
  const known = await readJson<Identity>(join(dir, 'cloud.json'))
  const early = [outputFileOf(dir), join(dir, 'cloud.json.new')]
  if (!known && there.some((name) => !early.includes(join(dir, name)))) throw new Usage(`${dir} is not empty and holds no cloud; choose another --state-dir`)
  if (known && known.driver !== driver) throw new Usage(`the cloud in ${dir} was made with --driver ${known.driver}; use that, or another --state-dir`)
  return known
}

export async function makeDir(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o711 }).catch((error: NodeJS.ErrnoException) => { throw new Usage(`${path} cannot be made (${error.code}); choose another --state-dir or run as root`) })
}

/** Opens the directory, making it and its secrets on the first call. */
export async function openStateDir(path: string, driver: DriverName, external?: External): Promise<StateDir> {
  const dir = resolve(path)
  const known = await checkStateDir(dir, driver)
  await makeDir(dir)
  // Guests' processes go through it to their own disks; nobody may list it.
  await chmod(dir, 0o711)
  const identity: Identity = known ?? { id: randomName(), createdAt: new Date().toISOString(), driver, external: external ?? await freeRange(driver === 'fake' ? [] : undefined) }
  // First of all: from here on the directory is known for a cloud's, however early its making is cut off.
  if (!known) await writePrivately(join(dir, 'cloud.json'), identity)
  let secrets = await readJson<Secrets>(join(dir, 'secrets.json'))
  if (!secrets) await writePrivately(join(dir, 'secrets.json'), secrets = { adminPassword: newSecret(15), demoPassword: newSecret(15), sealKey: randomBytes(32).toString('base64') })
  return { path: dir, identity, secrets, isNew: !known }
}

/** The cloud that is there, or a Usage error that says where it was looked for. */
export async function findStateDir(path: string): Promise<Pick<StateDir, 'path' | 'identity'>> {
  const dir = resolve(path)
  const identity = await readJson<Identity>(join(dir, 'cloud.json'))
  if (!identity) throw new Usage(`there is no cloud in ${dir}; start one with ./pileus up, or name its --state-dir`)
  return { path: dir, identity }
}

/** Four letters and digits that mark everything of this cloud on the host. */
const randomName = (): string => Array.from(randomBytes(4), (b, i) => 'abcdefghijklmnopqrstuvwxyz0123456789'[b % (i === 0 ? 26 : 36)]).join('')

const lockName = (dir: string): string => `\0pileus-${createHash('sha256').update(resolve(dir)).digest('hex').slice(0, 32)}`

/** Held for as long as the process lives, by whatever way it ends. Undefined: somebody else runs this cloud. */
export function lock(dir: string): Promise<Server | undefined> {
  const { promise, resolve: answer, reject } = Promise.withResolvers<Server | undefined>()
  const server = createServer((socket) => socket.destroy())
  server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? answer(undefined) : reject(error)))
  server.listen(lockName(dir), () => { server.unref(); answer(server) })
  return promise
}

/** Looks without taking: an `up` at the same moment must not find the lock in our hand. */
const isLocked = (dir: string): Promise<boolean> => new Promise((answer, reject) => {
  const socket = connect(lockName(dir), () => { socket.destroy(); answer(true) })
  socket.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') answer(false)
    // Taken and hung up on at once, or too many at the door: somebody is there.
    else if (error.code === 'ECONNRESET' || error.code === 'EAGAIN' || error.code === 'EPIPE') answer(true)
    else reject(error)
  })
})

export interface Running extends ProcessId {
  state: 'starting' | 'up'
  startedAt: string
  /** Known once it is up. */
  url: string
  operatorUrl: string
}

export const controlSocketOf = (dir: string): string => join(resolve(dir), 'control.sock')
export const logFileOf = (dir: string): string => join(resolve(dir), 'pileus.log')
const runningFile = (dir: string): string => join(resolve(dir), 'running.json')

/** Says who runs the cloud; only its holder of the lock may. */
export const noteRunning = (dir: string, running: Running): Promise<void> => writePrivately(runningFile(dir), running)
export const forgetRunning = (dir: string): Promise<void> => rm(runningFile(dir), { force: true })

/** The process that runs the cloud now, if one does. */
export async function findRunning(dir: string): Promise<Running | undefined> {
  if (!await isLocked(dir)) return undefined
  // Who has just taken the lock writes its name a moment later; until then a dead predecessor's may stand there.
  return waitFor('the running cloud\'s name', async () => {
    const running = await readJson<Running>(runningFile(dir))
    if (running && await isRunning(running)) return { running }
    return await isLocked(dir) ? undefined : { running: undefined }
  }, 5000).then(({ running }) => running)
}
