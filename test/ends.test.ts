// A control plane that was stopped leaves nothing behind that keeps its process: no timer, no socket, no work in the air. Run with `child` it is that process.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { testCloud } from './cloud.ts'

/** Stops a cloud while much is under way in it, and says so; then this process has to end by itself. */
async function stopAmidWork(): Promise<void> {
  const cloud = await testCloud({ fake: { vcpus: 64, memoryMib: 262_144, diskGib: 10_000, hosts: 3 } })
  const token = await cloud.login(), { port, hostname } = new URL(cloud.url)
  const stays = await cloud.boot(token), goes = await cloud.boot(token)
  await Promise.all([stays, goes].map((id) => cloud.settled(token, id, 'ACTIVE')))
  // A removal that is tried again and again, an upload and a request of which the rest never comes, requests in the middle.
  for (const { hypervisor } of cloud.hosts.list) (hypervisor as typeof cloud.hypervisor).fail({ operation: 'remove' })
  await cloud.http(token, 'DELETE', `/compute/v2.1/servers/${goes}`)
  const { body: image } = await cloud.http(token, 'POST', '/image/v2/images', { name: 'half', disk_format: 'raw', container_format: 'bare' })
  const upload = request(`${cloud.url}/image/v2/images/${image.id}/file`, { method: 'PUT', headers: { 'x-auth-token': token, 'content-type': 'application/octet-stream' } }).on('error', () => {})
  upload.write(Buffer.alloc(100_000))
  connect(Number(port), hostname).on('error', () => {}).write(`POST /compute/v2.1/servers HTTP/1.1\r\nhost: a\r\nx-auth-token: ${token}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"server`)
  const asked = [1, 2, 3].flatMap(() => [cloud.boot(token), cloud.login(), cloud.http(token, 'GET', '/compute/v2.1/servers/detail')]).map((reply) => reply.catch(() => {}))
  await Promise.race(asked)
  await cloud.close()
  await Promise.all(asked)
  process.stdout.write('stopped\n')
  setInterval(() => process.stderr.write(`still held by ${process.getActiveResourcesInfo().join(', ')}\n`), 3_000).unref()
}

if (process.argv[2] === 'child') await stopAmidWork()
else test('the process of a control plane that was stopped ends by itself', { timeout: 60_000 }, async (t) => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', import.meta.filename, 'child'], { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH } })
  t.after(() => child.kill('SIGKILL'))
  const said = text(child.stdout)
  const [code] = await once(child, 'exit')
  assert.equal(await said, 'stopped\n')
  assert.equal(code, 0)
})
