// What `up` was told, turned into what the composition root is told.
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { join, resolve } from 'node:path'
import { parseStoreUrl, type StoreConfig } from '#kit/store/store.ts'
import { imageSettings, type ImageSettings } from '#services/image/settings.ts'
import type { IdentityConfig } from '#services/identity/deps.ts'
import { identitySettings } from '#services/identity/settings.ts'
import { driverNames, type CloudConfig, type DriverName } from './config.ts'
import { externalOf, type External } from './external-range.ts'
import { defaultStateDir, logFileOf, type StateDir } from './state-dir.ts'
import { Usage } from './usage.ts'

export const upOptions = {
  'state-dir': { type: 'string' }, 'port': { type: 'string' }, 'listen': { type: 'string' }, 'public-url': { type: 'string' }, 'operator-port': { type: 'string' },
  'detach': { type: 'boolean' }, 'json': { type: 'boolean' }, 'driver': { type: 'string' }, 'fake-hosts': { type: 'string' }, 'accel': { type: 'string' }, 'cpu-model': { type: 'string' },
  'tls-cert': { type: 'string' }, 'tls-key': { type: 'string' }, 'tls-client-ca': { type: 'string' }, 'insecure': { type: 'boolean' }, 'database': { type: 'string' }, 'bus': { type: 'string' },
  'external-cidr': { type: 'string' }, 'images': { type: 'string' }, 'identity': { type: 'string' }, 'log-level': { type: 'string' }, 'tell': { type: 'string' },
} as const

export const upHelp = `Usage: ./pileus up [OPTIONS]

Starts the cloud, the first time also making it: installs what is missing, builds a small guest image, creates projects, users, flavors and networks.
Everything of the cloud lies in its state directory; a later \`up\` finds it there, and guests that still run are adopted.

  --state-dir DIR      where the cloud lives (${defaultStateDir()})
  --driver qemu|fake   real guests, as root (default); or pretended ones, for which nothing is needed
  --detach             go on in the background
  --json               print one JSON object when the cloud is up
  --no-install         install nothing; list what is missing

  --port N             the API's port (5000; 0 takes any that is free)
  --listen ADDRESS     the API's address (127.0.0.1); any other than the loopback demands TLS, or --insecure
  --public-url URL     how clients reach the API, when that differs (behind a proxy, a name)
  --tls-cert FILE, --tls-key FILE      PEM files; the API then speaks https
  --tls-client-ca FILE  PEM: authorities whose certificates clients may log in with (services/identity/README.md); needs the above
  --insecure           passwords and tokens may cross the network readable by everybody
  --operator-port N    metrics and status, always on 127.0.0.1 (the API's port + 1)

  --database URL       postgres://…, mysql://… or sqlite:FILE (a file in the state directory); given each time
  --bus URL            local (default) or amqp://… (RabbitMQ); given each time
  --external-cidr NET  the external network's range, chosen when the cloud is made (a free 172.24.N.0/24)
  --images FILE        JSON about images: stores, how they may be imported, what is done to them (services/image/README.md); given each time
  --identity FILE      JSON about identity: rules for passwords and log-ins, how long tokens live, the model of limits (services/identity/README.md); given each time
  --accel kvm|tcg      how guests run (kvm where the processor and kernel offer it)
  --cpu-model MODEL    the processor guests see, in QEMU's words
  --fake-hosts N       with --driver fake: so many hosts pretend to be there (1)
  --log-level LEVEL    debug, info, warn or error (info)
`

export type UpValues = { [K in keyof typeof upOptions]?: (typeof upOptions)[K] extends { type: 'boolean' } ? boolean : string } & { 'no-install'?: boolean }

export interface Settings {
  stateDir: string
  driver: DriverName
  listen: { address: string, port: number }
  operatorPort: number
  publicUrl?: string
  tls?: { cert: string, key: string, clientCa?: string, /** Clients must be told of it: no authority vouches for it. */ selfSignedFile?: string }
  database?: StoreConfig
  bus: CloudConfig['bus']
  external?: External
  qemu: CloudConfig['qemu']
  fakeHosts: number
  images?: ImageSettings
  identity?: Partial<IdentityConfig>
  logLevel: CloudConfig['logLevel']
}

const among = <const T extends string>(option: string, value: string, ...allowed: T[]): T => {
  if (!allowed.includes(value as T)) throw new Usage(`--${option} ${value}: it must be ${allowed.join(' or ')}`, 2)
  return value as T
}
function numberAmong(option: string, value: string, from: number, to: number): number {
  const number = /^\d{1,6}$/.test(value) ? Number(value) : NaN
  if (!(number >= from && number <= to)) throw new Usage(`--${option} ${value}: it must be a number from ${from} to ${to}`, 2)
  return number
}
const isLoopback = (address: string): boolean => /^127\.\d+\.\d+\.\d+$/.test(address) || address === '::1'
const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::'

/** Checks every option before anything is done. Throws a Usage that says which one is wrong and how. */
export async function readSettings(values: UpValues): Promise<Settings> {
  const address = values.listen === 'localhost' ? '127.0.0.1' : values.listen ?? '127.0.0.1'
  if (isIP(address) === 0) throw new Usage(`--listen ${address}: it must be an IP address, such as 0.0.0.0 for all of this host's`, 2)
  const port = numberAmong('port', values.port ?? '5000', 0, 65535)
  const tls = await readTls(values['tls-cert'], values['tls-key'], values['tls-client-ca'])
  if (!isLoopback(address) && !tls && !values.insecure) {
    throw new Usage(`--listen ${address} lets others reach the API: give --tls-cert and --tls-key, or --insecure if passwords may cross the network in the clear`, 2)
  }
  const publicUrl = values['public-url'] === undefined ? ownUrl(address, port, tls !== undefined) : checkedUrl(values['public-url'])
  const images = values.images === undefined ? undefined : await readJson('images', values.images, imageSettings)
  const identity = values.identity === undefined ? undefined : await readJson('identity', values.identity, identitySettings)
  const operatorPort = numberAmong('operator-port', values['operator-port'] ?? String(port === 0 ? 0 : port === 65535 ? 65534 : port + 1), 0, 65535)
  if (operatorPort === port && port !== 0) throw new Usage(`--operator-port ${operatorPort} is the API's own port`, 2)
  return {
    stateDir: resolve(values['state-dir'] ?? defaultStateDir()), driver: among('driver', values.driver ?? 'qemu', ...driverNames), listen: { address, port }, operatorPort,
    ...(publicUrl !== undefined && { publicUrl }), ...(tls && { tls }), ...(values.database !== undefined && { database: databaseOf(values.database) }), bus: busOf(values.bus ?? 'local'),
    ...(images && { images }), ...(identity && { identity }), ...(values['external-cidr'] !== undefined && { external: externalOf(values['external-cidr']) }),
    qemu: { ...(values.accel !== undefined && { accel: among('accel', values.accel, 'kvm', 'tcg') }), ...(values['cpu-model'] !== undefined && { cpuModel: values['cpu-model'] }) },
    fakeHosts: numberAmong('fake-hosts', values['fake-hosts'] ?? '1', 1, 10_000), logLevel: among('log-level', values['log-level'] ?? 'info', 'debug', 'info', 'warn', 'error'),
  }
}

/** What a file of the administrator's says, checked. */
async function readJson<T>(option: string, file: string, parse: (value: unknown) => T): Promise<T> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => { throw new Usage(`${file} cannot be read (${error.code})`) })
  try { return parse(JSON.parse(text)) } catch (error) { throw new Usage(`--${option} ${file}: ${(error as Error).message}`, 2) }
}

async function readTls(certFile?: string, keyFile?: string, clientCaFile?: string): Promise<Settings['tls']> {
  if (clientCaFile !== undefined && (certFile === undefined || keyFile === undefined)) throw new Usage('--tls-client-ca needs --tls-cert and --tls-key', 2)
  if (certFile === undefined && keyFile === undefined) return undefined
  if (certFile === undefined || keyFile === undefined) throw new Usage('--tls-cert and --tls-key go together', 2)
  const [cert, key, clientCa] = await Promise.all([certFile, keyFile, ...clientCaFile === undefined ? [] : [clientCaFile]].map((file) => readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => { throw new Usage(`${file} cannot be read (${error.code})`) }))) as [string, string, string?]
  let parsed: X509Certificate
  try { parsed = new X509Certificate(cert) } catch { throw new Usage(`${certFile} holds no PEM certificate`) }
  try { (await import('node:tls')).createSecureContext({ cert, key }) } catch (error) { throw new Usage(`${certFile} and ${keyFile} do not belong together: ${(error as Error).message}`) }
  if (clientCa !== undefined) try { new X509Certificate(clientCa) } catch { throw new Usage(`${clientCaFile} holds no PEM certificate`) }
  return { cert, key, ...(clientCa !== undefined && { clientCa }), ...(parsed.checkIssued(parsed) && { selfSignedFile: resolve(certFile) }) }
}

function checkedUrl(text: string): string {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '') throw new Usage(`--public-url ${text}: it must be like https://cloud.example.org:5000`, 2)
  return url.href.replace(/\/+$/, '')
}

/** Listening on every address, clients are told one that others can reach. */
function ownUrl(address: string, port: number, tls: boolean): string | undefined {
  if (!isWildcard(address)) return undefined
  if (port === 0) throw new Usage('--port 0 with --listen on all addresses needs a --public-url', 2)
  const own = Object.values(networkInterfaces()).flat().find((a) => a && !a.internal && a.family === 'IPv4')?.address ?? '127.0.0.1'
  return `${tls ? 'https' : 'http'}://${own}:${port}`
}

function databaseOf(url: string): StoreConfig {
  try { return parseStoreUrl(url) } catch (error) { throw new Usage(`--database: ${(error as Error).message}`, 2) }
}
function busOf(url: string): CloudConfig['bus'] {
  if (url === 'local') return { transport: 'local' }
  if (/^amqps?:\/\//.test(url)) return { transport: 'rabbitmq', url }
  throw new Usage('--bus must be local, or amqp://USER:PASSWORD@HOST', 2)
}

/** This host's name in the cloud. */
const thisHost = (): string => hostname().split('.')[0]!.toLowerCase()

/** The composition root's configuration for a cloud whose directory is open. */
export function configOf(settings: Settings, { path, identity, secrets }: StateDir, seedImage?: string): CloudConfig {
  return {
    cloudId: identity.id, stateDir: path, host: thisHost(), listen: settings.listen, ...(settings.publicUrl !== undefined && { publicUrl: settings.publicUrl }),
    ...(settings.tls && { tls: { cert: settings.tls.cert, key: settings.tls.key, ...(settings.tls.clientCa !== undefined && { clientCa: settings.tls.clientCa }) } }),
    database: settings.database ?? { engine: 'sqlite', file: join(path, 'pileus.db') }, bus: settings.bus, driver: identity.driver, qemu: settings.qemu,
    fake: { hosts: settings.fakeHosts }, secrets: { ...secrets, sealKey: Buffer.from(secrets.sealKey, 'base64') },
    shutdownGraceMs: 60_000, maxImageBytes: 2 ** 40, ...(settings.images && { images: settings.images }), ...(settings.identity && { identity: settings.identity }), external: identity.external, heartbeatMs: 10_000, logLevel: settings.logLevel, logFile: logFileOf(path),
    ...(seedImage !== undefined && { seedImage }),
  }
}
