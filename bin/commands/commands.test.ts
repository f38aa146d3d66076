// The commands as a person runs them, each in a process of its own, on clouds of pretended guests.
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { readFileSync, statSync } from 'node:fs'
import { access, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { waitFor } from '#base/retry.ts'
import { ended, startOf } from '#host/processes.ts'
import type { Ready } from '../serve.ts'

const program = join(import.meta.dirname, '../pileus.ts')
const node = [process.execPath, '--disable-warning=ExperimentalWarning', program] as const

// As the launcher starts it: what was compiled once is kept.
const env = { ...process.env, NODE_COMPILE_CACHE: join(import.meta.dirname, '../../.pileus/compile-cache') }

interface Ran { code: number, out: string, err: string }
const pileus = (...args: string[]): Promise<Ran> => new Promise((resolve) => {
  const [command, ...first] = node
  execFile(command, [...first, ...args], { timeout: 110_000, env }, (error, out, err) => resolve({ code: error ? Number(error.code ?? -1) : 0, out, err }))
})

let dir: string
before(async () => { dir = await mkdtemp(join(tmpdir(), 'pileus-commands-')) })
after(() => rm(dir, { recursive: true, force: true }))

const up = async (state: string, ...args: string[]): Promise<Ready> => {
  const ran = await pileus('up', '--driver', 'fake', '--state-dir', state, '--port', '0', '--detach', '--json', ...args)
  assert.equal(ran.code, 0, ran.err)
  return JSON.parse(ran.out) as Ready
}
const get = async (url: string): Promise<{ status: number, body: string }> => { const res = await fetch(url); return { status: res.status, body: await res.text() } }

test('a cloud\'s life: up, status, down, up again, kill -9, destroy', async () => {
  const state = join(dir, 'life')
  try {
    const first = await up(state)
    assert.match(first.endpoint, /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.equal((await get(`${first.endpoint}/healthz`)).status, 200)
    const document = JSON.parse((await get(`${first.endpoint}/openapi.json`)).body) as { openapi: string, paths: object }
    assert.ok(document.openapi === '3.1.0' && Object.keys(document.paths).length > 100)
    assert.match((await get(`${first.operator_url}/metrics`)).body, /pileus_http_request_seconds_count\{service="none",operation="none",status="200"\} 2/)
    assert.equal((await fetch(`${first.operator_url}/stop-guests`, { method: 'POST' })).status, 404, 'orders are for the socket only')

    for (const file of ['clouds.yaml', 'openrc', 'openrc-admin', 'secrets.json', 'cloud.json', 'control.sock', 'pileus.db', 'pileus.log', 'running.json']) {
      assert.equal(statSync(join(state, file)).mode & 0o077, 0, `${file} is its owner's alone`)
    }
    assert.match(readFileSync(first.clouds_yaml, 'utf8'), /pileus-admin:/)
    const { demoPassword, adminPassword } = JSON.parse(await readFile(join(state, 'secrets.json'), 'utf8')) as Record<string, string>
    assert.ok(demoPassword!.length >= 20 && adminPassword !== demoPassword)

    const status = await pileus('status', '--state-dir', state, '--json')
    const told = JSON.parse(status.out) as Record<string, unknown>
    assert.deepEqual([status.code, told.running, told.pid, told.url, told.dead_letters], [0, true, first.pid, first.endpoint, 0])

    const second = await pileus('up', '--driver', 'fake', '--state-dir', state)
    assert.equal(second.code, 1)
    assert.match(second.err, new RegExp(`runs already \\(pid ${first.pid}.*pileus down`))
    assert.match((await pileus('up', '--state-dir', state, '--driver', 'qemu')).err, /runs already/)

    const rotated = await pileus('keys', 'rotate', '--state-dir', state, '--json')
    assert.deepEqual([rotated.code, (JSON.parse(rotated.out) as { tokens: object }).tokens], [0, { number: 2, kept: 1, forgotten: 0 }])
    assert.equal((await pileus('keys', 'turn', '--state-dir', state)).code, 2)

    const down = await pileus('down', '--state-dir', state)
    assert.deepEqual([down.code, /guests go on/.test(down.out), await startOf(first.pid)], [0, true, undefined])
    assert.equal((await pileus('status', '--state-dir', state)).code, 3)
    assert.equal((await pileus('down', '--state-dir', state)).code, 0, 'down twice is fine')
    assert.match((await pileus('up', '--state-dir', state)).err, /made with --driver fake/)

    const again = await up(state)
    assert.equal(again.cloud_id, first.cloud_id)
    const running = { pid: again.pid, startTicks: (await startOf(again.pid))! }
    process.kill(again.pid, 'SIGKILL')
    assert.ok(await ended(running, 10_000))
    assert.equal((await pileus('status', '--state-dir', state)).code, 3)
    assert.equal((await up(state)).cloud_id, first.cloud_id, 'a killed one leaves no lock')

    assert.match((await pileus('logs', '--state-dir', state, '-n', '5')).out, /"msg":"stopping"/)
    assert.match((await pileus('destroy', '--state-dir', state)).err, /--yes/)
    assert.equal((await pileus('destroy', '--yes', '--state-dir', state)).code, 0)
    await assert.rejects(access(state))
    assert.match((await pileus('status', '--state-dir', state)).err, /there is no cloud/)
  } finally {
    await pileus('destroy', '--yes', '--state-dir', state)
  }
})

test('of several up at once exactly one wins', async () => {
  const state = join(dir, 'race')
  try {
    const all = await Promise.all(Array.from({ length: 3 }, () => pileus('up', '--driver', 'fake', '--state-dir', state, '--port', '0', '--detach', '--json')))
    assert.deepEqual(all.map((r) => r.code).sort(), [0, 1, 1], all.map((r) => r.err).join('\n'))
    for (const lost of all.filter((r) => r.code === 1)) assert.match(lost.err, /runs already/)
    const winner = JSON.parse(all.find((r) => r.code === 0)!.out) as Ready
    assert.equal((await get(`${winner.endpoint}/healthz`)).status, 200)
  } finally {
    await pileus('destroy', '--yes', '--state-dir', state)
  }
})

test('a taken port is named, and nothing runs afterwards', async () => {
  const state = join(dir, 'port'), taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as AddressInfo
  try {
    for (const detached of [[], ['--detach']]) {
      const ran = await pileus('up', '--driver', 'fake', '--state-dir', state, '--port', String(port), '--operator-port', '0', ...detached)
      assert.deepEqual([ran.code, ran.err.includes(`port ${port} is in use`), ran.err.includes('--port')], [1, true, true], ran.err)
    }
    const ran = await pileus('up', '--driver', 'fake', '--state-dir', state, '--port', '0', '--operator-port', String(port))
    assert.deepEqual([ran.code, ran.err.includes('--operator-port')], [1, true], ran.err)
    assert.equal((await pileus('status', '--state-dir', state)).code, 3)
  } finally {
    taken.close()
    await pileus('destroy', '--yes', '--state-dir', state)
  }
})

test('in the foreground it ends in order when asked', async () => {
  const state = join(dir, 'foreground')
  let child: ChildProcess | undefined
  try {
    const [command, ...first] = node
    child = spawn(command, [...first, 'up', '--driver', 'fake', '--state-dir', state, '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'], env })
    const exited = new Promise<number | null>((resolve) => child!.once('exit', resolve))
    const printed = text(child.stdout!)
    await waitFor('it to be up', async () => (await pileus('status', '--state-dir', state, '--json')).out.includes('"state": "up"') || undefined, 30_000)
    child.kill('SIGINT')
    assert.equal(await exited, 0)
    assert.match(await printed, /Pileus is up: http[^]*clouds\.yaml[^]*openstack server create/)
    assert.ok(!(await readdir(state)).includes('running.json'))
  } finally {
    child?.kill('SIGKILL')
    await pileus('destroy', '--yes', '--state-dir', state)
  }
})

const openssl = spawnSync('openssl', ['version'])
test('over TLS, with a certificate clients are told of', { skip: openssl.error && 'there is no openssl to make a certificate with' }, async () => {
  const state = join(dir, 'tls'), cert = join(dir, 'cert.pem'), key = join(dir, 'key.pem')
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'], { stdio: 'ignore' })
  try {
    const ready = await up(state, '--tls-cert', cert, '--tls-key', key)
    assert.match(ready.endpoint, /^https:/)
    assert.match(readFileSync(ready.clouds_yaml, 'utf8'), new RegExp(`cacert: ${cert}`))
    const ca = await readFile(cert)
    const status = await new Promise<number | undefined>((resolve, reject) => request(`${ready.endpoint}/healthz`, { ca }, (res) => { res.resume(); resolve(res.statusCode) }).on('error', reject).end())
    assert.equal(status, 200)
    const demo = await pileus('demo', '--state-dir', state)
    assert.equal(demo.code, 0, demo.out + demo.err)
    assert.match(demo.out, / 28 .*the hypervisor starts it[^]*nothing is left/)
  } finally {
    await pileus('destroy', '--yes', '--state-dir', state)
  }
})

test('a directory of somebody else\'s is left alone', async () => {
  const state = join(dir, 'not-ours')
  await writeFile(join(dir, 'file'), '')
  for (const wrong of [join(dir, 'file'), dir]) {
    const ran = await pileus('up', '--driver', 'fake', '--state-dir', wrong, '--detach')
    assert.deepEqual([ran.code, /choose another --state-dir/.test(ran.err)], [1, true], ran.err)
  }
  assert.ok(!(await readdir(dir)).includes('pileus.out'))
  assert.match((await pileus('destroy', '--yes', '--state-dir', dir)).err, /there is no cloud/)
  await assert.rejects(access(state))
})

test('mistakes on the command line say what is right', async () => {
  assert.deepEqual((await pileus('fly')).code, 2)
  assert.match((await pileus('up', '--prot', '1')).err, /Unknown option '--prot'[^]*Usage/)
  assert.match((await pileus('up', '--listen', '0.0.0.0')).err, /--insecure/)
  await Promise.all(['up', 'down', 'status', 'logs', 'destroy', 'demo', 'test'].map(async (command) => assert.match((await pileus(command, '--help')).out, /Usage: \.\/pileus/, command)))
})
