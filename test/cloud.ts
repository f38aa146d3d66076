// A whole cloud in one process, with fake drivers and a database in a temporary directory: what tests of more than one service use.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCloud, type Cloud } from '#bin/cloud.ts'
import type { CloudConfig } from '#bin/config.ts'
import { seed } from '#bin/seed.ts'
import { freshDatabase } from '#kit/store/fresh.testing.ts'
import { watchFaults } from '#kit/testing/faults.ts'
import type { FakeHypervisor } from '#drivers/hypervisor/fake/fake.ts'
import type { FakeNetworkDriver } from '#drivers/network/fake/driver.ts'
import type { Seeded } from '#services/identity/seed.ts'
import { cloudClient, type CloudClient } from './client.ts'

export type { Reply } from './client.ts'

export interface TestCloud extends Cloud, CloudClient {
  seeded: Seeded
  hypervisor: FakeHypervisor
  network: FakeNetworkDriver
  /** The same cloud in a new life, over the same directory. */
  restart(over?: Partial<CloudConfig>): Promise<TestCloud>
  /** The same, and the saga runner of the old life had no chance to write anything more nor to give its sagas back. */
  crash(over?: Partial<CloudConfig>): Promise<TestCloud>
  /** Stops the cloud and removes its directory. */
  close(): Promise<void>
}

export const testConfig = (stateDir: string, over: Partial<CloudConfig> = {}): CloudConfig => ({
  cloudId: 'test', stateDir, host: 'host-1', listen: { address: '127.0.0.1', port: 0 }, database: { engine: 'sqlite', file: join(stateDir, 'pileus.db'), volatile: true }, bus: { transport: 'local' },
  driver: 'fake', qemu: {}, fake: { vcpus: 64, memoryMib: 262_144, diskGib: 10_000 }, secrets: { adminPassword: 'admin-pass', demoPassword: 'demo-pass', sealKey: randomBytes(32) },
  passwordCost: { memoryKib: 64, passes: 1 }, shutdownGraceMs: 1000, maxImageBytes: 64 * 1024 ** 2, external: { cidr: '172.24.4.0/24', gateway: '172.24.4.1' }, heartbeatMs: 10_000, sharedMs: 0, logLevel: 'silent', ...over,
})

export async function testCloud(over: Partial<CloudConfig> = {}): Promise<TestCloud> {
  const dir = await mkdtemp(join(tmpdir(), 'pileus-test-'))
  try {
    const database = await freshDatabase()
    return await live(testConfig(dir, { ...(database && { database }), ...over }))
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}

async function live(config: CloudConfig): Promise<TestCloud> {
  watchFaults()
  const cloud = await startCloud(config)
  const seeded = await seed(cloud)

  const client = await cloudClient(cloud.url, { admin: config.secrets.adminPassword, demo: config.secrets.demoPassword })
  return {
    ...cloud, ...client, seeded, hypervisor: cloud.hosts.list[0]!.hypervisor as FakeHypervisor, network: cloud.hosts.list[0]!.network as FakeNetworkDriver,
    async restart(over = {}) {
      await cloud.stop()
      return live({ ...config, ...over })
    },
    async crash(over = {}) {
      await cloud.runner.abandon()
      await cloud.stop()
      return live({ ...config, ...over })
    },
    async close() {
      await cloud.stop()
      await rm(config.stateDir, { recursive: true, force: true })
    },
  }
}
