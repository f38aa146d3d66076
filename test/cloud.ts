// A whole cloud in one process, with fake drivers and a database in a temporary directory: what tests of more than one service use.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCloud, type Cloud } from '#bin/cloud.ts'
import type { CloudConfig } from '#bin/config.ts'
import { seed } from '#bin/seed.ts'
import { waitFor } from '#base/retry.ts'
import type { FakeHypervisor } from '#drivers/hypervisor/fake/fake.ts'
import type { FakeNetworkDriver } from '#drivers/network/fake/driver.ts'
import type { Seeded } from '#services/identity/seed.ts'

export interface Reply<T = any> { status: number, headers: Headers, body: T }

export interface TestCloud extends Cloud {
  seeded: Seeded
  hypervisor: FakeHypervisor
  network: FakeNetworkDriver
  /** A token's text for a user of the seed, or any password credentials. */
  login(user?: 'demo' | 'admin', project?: string): Promise<string>
  /** A request over HTTP; the body is JSON. */
  http<T = any>(token: string | undefined, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply<T>>
  /** The id of the seeded image. */
  imageId: string
  networkId: string
  /** Asks for a server and answers its id at once. */
  boot(token: string, over?: Record<string, unknown>): Promise<string>
  /** Waits until a server's status is one of these; answers it whole. */
  settled(token: string, id: string, ...statuses: string[]): Promise<any>
  /** Waits until the server is not there any more. */
  gone(token: string, id: string): Promise<void>
  /** The same cloud in a new life, over the same directory. `kill`: without any farewell. */
  restart(over?: Partial<CloudConfig>): Promise<TestCloud>
  /** Stops the cloud and removes its directory. */
  close(): Promise<void>
}

export const testConfig = (stateDir: string, over: Partial<CloudConfig> = {}): CloudConfig => ({
  cloudId: 'test', stateDir, host: 'host-1', listen: { address: '127.0.0.1', port: 0 }, database: { engine: 'sqlite', file: join(stateDir, 'pileus.db'), volatile: true }, bus: { transport: 'local' },
  driver: 'fake', qemu: {}, fake: { vcpus: 64, memoryMib: 262_144, diskGib: 10_000 }, secrets: { adminPassword: 'admin-pass', demoPassword: 'demo-pass', sealKey: randomBytes(32) },
  passwordCost: { memoryKib: 64, passes: 1 }, shutdownGraceMs: 1000, maxImageBytes: 64 * 1024 ** 2, external: { cidr: '172.24.4.0/24', gateway: '172.24.4.1' }, heartbeatMs: 10_000, logLevel: 'silent', ...over,
})

export async function testCloud(over: Partial<CloudConfig> = {}): Promise<TestCloud> {
  const dir = await mkdtemp(join(tmpdir(), 'pileus-test-'))
  try {
    return await live(testConfig(dir, over))
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}

async function live(config: CloudConfig): Promise<TestCloud> {
  const cloud = await startCloud(config)
  const seeded = await seed(cloud)

  const http = async <T = any>(token: string | undefined, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply<T>> => {
    const response = await fetch(cloud.url + path, {
      method, headers: { ...(token && { 'x-auth-token': token }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers }, ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: (text === '' ? undefined : response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text) as T }
  }
  const login = async (user: 'demo' | 'admin' = 'demo', project: string = user): Promise<string> => {
    const reply = await http(undefined, 'POST', '/identity/v3/auth/tokens', { auth: {
      identity: { methods: ['password'], password: { user: { name: user, domain: { id: 'default' }, password: config.secrets[`${user}Password`] } } }, scope: { project: { name: project, domain: { id: 'default' } } },
    } })
    if (reply.status !== 201) throw new Error(`login answered ${reply.status} ${JSON.stringify(reply.body)}`)
    return reply.headers.get('x-subject-token')!
  }
  const token = await login()
  const imageId = (await http(token, 'GET', '/image/v2/images')).body.images[0].id as string
  const networkId = (await http(token, 'GET', '/network/v2.0/networks?name=private')).body.networks[0].id as string
  const show = (as: string, id: string): Promise<Reply> => http(as, 'GET', `/compute/v2.1/servers/${id}`)

  return {
    ...cloud, seeded, hypervisor: cloud.hosts.list[0]!.hypervisor as FakeHypervisor, network: cloud.hosts.list[0]!.network as FakeNetworkDriver, login, http, imageId, networkId,
    async boot(as, over = {}) {
      const reply = await http(as, 'POST', '/compute/v2.1/servers', { server: { name: 'a', imageRef: imageId, flavorRef: '1', networks: [{ uuid: networkId }], ...over } })
      if (reply.status !== 202) throw new Error(`POST /servers answered ${reply.status} ${JSON.stringify(reply.body)}`)
      return reply.body.server.id as string
    },
    settled: (as, id, ...statuses) => waitFor(`server ${id} to be ${statuses.join(' or ')}`, async () => {
      const reply = await show(as, id)
      if (reply.status !== 200) throw new Error(`GET server answered ${reply.status}`)
      return statuses.includes(reply.body.server.status) && reply.body.server['OS-EXT-STS:task_state'] === null ? reply.body.server : undefined
    }, 20_000, 10),
    gone: async (as, id) => { await waitFor(`server ${id} to be gone`, async () => ((await show(as, id)).status === 404 ? true : undefined), 20_000, 10) },
    async restart(over = {}) {
      await cloud.stop()
      return live({ ...config, ...over })
    },
    async close() {
      await cloud.stop()
      await rm(config.stateDir, { recursive: true, force: true })
    },
  }
}
