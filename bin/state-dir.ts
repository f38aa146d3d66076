// A cloud's directory: its identity, its secrets, and who runs it now.
import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { newSecret } from '#base/ids.ts'
import { Usage } from './usage.ts'

export const defaultStateDir = (): string => (process.getuid?.() === 0 ? '/var/lib/pileus' : join(homedir(), '.local/share/pileus'))

/** What a cloud is from its first day; never changed. */
export interface Identity { id: string, createdAt: string, driver: 'qemu' | 'fake' }
/** Generated, kept in a file only its owner reads. */
export interface Secrets { adminPassword: string, demoPassword: string, sealKey: string }

const writePrivately = async (path: string, value: unknown): Promise<void> => {
  await writeFile(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}
export const readJson = async <T>(path: string): Promise<T | undefined> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => { if (error.code !== 'ENOENT') throw error })
  return text === undefined ? undefined : JSON.parse(text) as T
}

export interface StateDir { path: string, identity: Identity, secrets: Secrets, isNew: boolean }

/** Opens the directory, making it and its secrets on the first call. */
export async function openStateDir(path: string, driver: 'qemu' | 'fake'): Promise<StateDir> {
  const dir = resolve(path)
  const there = await readdir(dir).catch(() => undefined)
  const known = await readJson<Identity>(join(dir, 'cloud.json'))
  if (there && there.length > 0 && !known) throw new Usage(`${dir} is not empty and holds no cloud; choose another --state-dir`)
  if (known && known.driver !== driver) throw new Usage(`the cloud in ${dir} was made with --driver ${known.driver}; use that, or another --state-dir`)
  await mkdir(dir, { recursive: true, mode: 0o711 }).catch((error: NodeJS.ErrnoException) => { throw new Usage(`${dir} cannot be made (${error.code}); choose another --state-dir or run as root`) })
  // Guests' processes go through it to their own disks; nobody may list it.
  await chmod(dir, 0o711)
  let secrets = await readJson<Secrets>(join(dir, 'secrets.json'))
  if (!secrets) await writePrivately(join(dir, 'secrets.json'), secrets = { adminPassword: newSecret(15), demoPassword: newSecret(15), sealKey: randomBytes(32).toString('base64') })
  const identity = known ?? { id: randomName(), createdAt: new Date().toISOString(), driver }
  if (!known) await writePrivately(join(dir, 'cloud.json'), identity)
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

/** Held for as long as the process lives, by whatever way it ends. Undefined: somebody else runs this cloud. */
export function lock(dir: string): Promise<Server | undefined> {
  const name = `\0pileus-${createHash('sha256').update(resolve(dir)).digest('hex').slice(0, 32)}`
  const { promise, resolve: answer, reject } = Promise.withResolvers<Server | undefined>()
  const server = createServer((socket) => socket.destroy())
  server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? answer(undefined) : reject(error)))
  server.listen(name, () => { server.unref(); answer(server) })
  return promise
}

export interface Running { pid: number, startedAt: string, url: string, controlSocket: string, log: string }

/** The process that runs the cloud now, if one does. */
export async function findRunning(dir: string): Promise<Running | undefined> {
  const free = await lock(dir)
  if (free) {
    await new Promise((done) => free.close(done))
    return undefined
  }
  return readJson<Running>(join(resolve(dir), 'running.json'))
}
