// A control plane in a process of its own, which can be killed as a machine that loses power is. Run by itself it is that process.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { CloudConfig } from '#bin/config.ts'
import { cloudClient, type CloudClient } from './client.ts'

export interface Plane extends CloudClient {
  url: string
  pid: number
  /** Without any farewell; resolves when the process is no more. */
  kill(): Promise<void>
}

/** Starts and seeds a cloud; answers once it serves. */
export async function startPlane(config: CloudConfig): Promise<Plane> {
  const { secrets, ...rest } = config
  const child: ChildProcess = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', import.meta.filename], { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: process.env.PATH } })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  // A parent that dies closes its end, and the child follows.
  child.stdin!.write(`${JSON.stringify({ ...rest, secrets: { ...secrets, sealKey: secrets.sealKey.toString('base64') } })}\n`)
  const url = await Promise.race([
    new Promise<string>((resolve) => createInterface({ input: child.stdout! }).once('line', resolve)), exited.then(() => { throw new Error(`the control plane of ${config.host} ended instead of starting`) }),
  ])
  return {
    ...await cloudClient(url, { admin: secrets.adminPassword, demo: secrets.demoPassword }), url, pid: child.pid!,
    async kill() { child.kill('SIGKILL'); await exited },
  }
}

if (process.argv[1] === import.meta.filename) {
  const { startCloud } = await import('#bin/cloud.ts'), { seed } = await import('#bin/seed.ts')
  const input = createInterface({ input: process.stdin })
  input.once('line', (line) => void (async () => {
    const config = JSON.parse(line)
    const cloud = await startCloud({ ...config, secrets: { ...config.secrets, sealKey: Buffer.from(config.secrets.sealKey, 'base64') } })
    await seed(cloud)
    process.stdout.write(`${cloud.url}\n`)
  })().catch((error: unknown) => { console.error(error); process.exit(1) }))
  input.once('close', () => process.exit(0))
}
