// The process under measurement: a cloud as users run it, told by one JSON argument; says when it is ready on standard output.
import { randomBytes } from 'node:crypto'
import { plainContext, silentLog } from '#base/context.ts'
import { startCloud } from '#bin/cloud.ts'
import type { CloudConfig } from '#bin/config.ts'
import { removeGuests } from '#bin/guests.ts'
import { openDrivers } from '#bin/hosts.ts'
import { seed } from '#bin/seed.ts'

const told = JSON.parse(process.argv[2]!) as Partial<CloudConfig> & { stateDir: string }
const config: CloudConfig = {
  cloudId: 'bnch', host: 'bench', listen: { address: '127.0.0.1', port: 0 }, database: { engine: 'sqlite', file: `${told.stateDir}/pileus.db` }, bus: { transport: 'local' }, driver: 'fake', qemu: {},
  fake: { vcpus: 4000, memoryMib: 4_000_000, diskGib: 1_000_000 }, shutdownGraceMs: 1000, maxImageBytes: 8 * 1024 ** 3, external: { cidr: '172.24.5.0/24', gateway: '172.24.5.1' }, heartbeatMs: 10_000,
  logLevel: 'warn', logFile: `${told.stateDir}/log`, ...told, secrets: { adminPassword: 'bench', demoPassword: 'bench', sealKey: randomBytes(32) },
}
const cloud = await startCloud(config)
await seed(cloud)
process.stdout.write(`${JSON.stringify({ url: cloud.url })}\n`)
process.on('SIGTERM', () => void (async () => {
  await cloud.stop()
  if (config.driver === 'qemu') {
    // Nothing of a bench stays on the host.
    const { hypervisor, network } = await openDrivers(config)
    await removeGuests(hypervisor, silentLog)
    await hypervisor.close()
    await network.removeAll(plainContext({ log: silentLog }))
  }
  process.exit(0)
})())
