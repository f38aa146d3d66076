// The whole program as a process of its own, killed at any moment, again and again: whatever was asked for ends well, and nothing is left.
// No root and no servers; the fake drivers keep what stands in the state directory, as real guests outlive the control plane.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { readFile, rm, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'node:test'
import { waitFor } from '#base/retry.ts'
import { serve } from '#bin/serve.ts'
import { readSettings } from '#bin/settings.ts'
import { findRunning } from '#bin/state-dir.ts'
import { cloudClient, type CloudClient } from '../client.ts'
import { audit, quiet } from './audit.ts'

const root = join(import.meta.dirname, '../..')
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function dice(from: number): () => number {
  let state = from
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

interface Life { child: ChildProcess, ready: Promise<{ endpoint: string }>, ended: Promise<void> }

const up = (stateDir: string): string[] => ['up', '--driver', 'fake', '--state-dir', stateDir, '--port', '0', '--json', '--no-install']
function live(stateDir: string): Life {
  const child = spawn(process.execPath, [join(root, 'bin/pileus.ts'), ...up(stateDir)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<void>((resolve) => { child.once('exit', () => resolve()) })
  let out = '', errors = ''
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => { errors += chunk })
  const ready = new Promise<{ endpoint: string }>((resolve, reject) => {
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk
      try { resolve(JSON.parse(out) as { endpoint: string }) } catch { /* not all of it yet */ }
    })
    void ended.then(() => reject(new Error(`it ended: ${errors.slice(-2000)}`)))
  })
  ready.catch(() => {})
  return { child, ready, ended }
}
async function kill({ child, ended }: Life): Promise<void> {
  child.kill('SIGKILL')
  await ended
}

test('killed again and again', { timeout: 600_000 }, async (t) => {
  t.diagnostic(`CHAOS_SEED=${seed}`)
  const random = dice(seed), upTo = (n: number): number => Math.floor(random() * n)
  const stateDir = await mkdtemp(join(tmpdir(), 'pileus-kill-'))
  let life: Life | undefined
  t.after(async () => {
    if (life) await kill(life)
    await rm(stateDir, { recursive: true, force: true })
  })

  // The making of the cloud is cut off as well.
  for (let i = 0; i < 4; i++) {
    life = live(stateDir)
    const early = await Promise.race([delay(150 + upTo(900), 'early' as const), life.ready.then(() => 'ready' as const)])
    await kill(life)
    if (early === 'ready') break
  }

  const passwords = async (): Promise<{ admin: string, demo: string }> => {
    const secrets = JSON.parse(await readFile(join(stateDir, 'secrets.json'), 'utf8')) as { adminPassword: string, demoPassword: string }
    return { admin: secrets.adminPassword, demo: secrets.demoPassword }
  }
  /** Whoever asks a dying process hears nothing. */
  const perhaps = async (work: Promise<{ status: number, body: any }>): Promise<number> => {
    const reply = await work.catch(() => undefined)
    // 404: gone meanwhile. 409: something else is under way.
    if (reply) assert.ok([200, 202, 204, 403, 404, 409].includes(reply.status), `${reply.status} ${JSON.stringify(reply.body)}`)
    return reply?.status ?? 0
  }
  const made = { asked: 0, deleted: 0, kills: 0 }
  async function disturb(client: CloudClient, token: string): Promise<void> {
    const { body: { servers } } = await client.http(token, 'GET', '/compute/v2.1/servers/detail')
    const work: Promise<unknown>[] = []
    for (let n = 2 + upTo(5); n > 0; n--) {
      made.asked++
      work.push(delay(upTo(80)).then(() => perhaps(client.http(token, 'POST', '/compute/v2.1/servers', { server: { name: `k${made.asked}`, imageRef: client.imageId, flavorRef: '1', networks: [{ uuid: client.networkId }], config_drive: true } }))))
    }
    for (const server of servers as { id: string, status: string }[]) {
      const what = random(), path = `/compute/v2.1/servers/${server.id}`
      if (what < 0.4) { made.deleted++; work.push(delay(upTo(80)).then(() => perhaps(client.http(token, 'DELETE', path)))) }
      else if (what < 0.6) work.push(delay(upTo(80)).then(() => perhaps(client.http(token, 'POST', `${path}/action`, server.status === 'SHUTOFF' ? { 'os-start': null } : { 'os-stop': null }))))
      else if (what < 0.7) work.push(delay(upTo(80)).then(() => perhaps(client.http(token, 'POST', `${path}/action`, { reboot: { type: 'HARD' } }))))
    }
    await Promise.all(work)
  }

  for (let round = 1; round <= 20; round++) {
    life = live(stateDir)
    if (upTo(5) === 0) {
      await Promise.race([delay(200 + upTo(1000)), life.ready])
    } else {
      const { endpoint } = await life.ready
      const client = await cloudClient(endpoint, await passwords()), token = await client.login()
      if (round === 1) {
        const admin = await client.login('admin'), { body: { projects } } = await client.http(token, 'GET', '/identity/v3/auth/projects')
        const { status } = await client.http(admin, 'PUT', `/compute/v2.1/os-quota-sets/${projects[0].id}`, { quota_set: { instances: 60, cores: 60, ram: 60 * 512 } })
        assert.equal(status, 200)
      }
      const working = disturb(client, token)
      await Promise.race([delay(10 + upTo(400)), working.then(() => delay(upTo(100)))])
      await kill(life)
      made.kills++
      await working.catch((error: unknown) => { if (error instanceof assert.AssertionError) throw error })
    }
    await kill(life)
  }

  // The last life is here, so that its tables and drivers can be looked at.
  life = undefined
  assert.equal(await findRunning(stateDir), undefined)
  const settings = await readSettings({ 'state-dir': stateDir, driver: 'fake', port: '0', 'operator-port': '0' })
  const { cloud, stop } = await serve(settings, undefined, () => {})
  try {
    await cloud.runner.idle()
    await quiet(cloud)
    const client = await cloudClient(cloud.url, await passwords()), token = await client.login()
    const { body: { servers } } = await client.http(token, 'GET', '/compute/v2.1/servers/detail')
    const statuses = (servers as { status: string }[]).reduce<Record<string, number>>((sum, { status }) => ({ ...sum, [status]: (sum[status] ?? 0) + 1 }), {})
    t.diagnostic(JSON.stringify({ ...made, statuses }))
    assert.deepEqual(Object.keys(statuses).filter((s) => !['ACTIVE', 'SHUTOFF', 'ERROR'].includes(s)), [])
    assert.deepEqual(await audit(cloud), [])
    assert.deepEqual((await client.http(token, 'GET', '/image/v2/images')).body.images.map((i: { status: string }) => i.status), ['active'])
    for (const { id } of servers) assert.equal((await client.http(token, 'DELETE', `/compute/v2.1/servers/${id}`)).status, 204)
    for (const { id } of servers) await client.gone(token, id)
    await cloud.runner.idle()
    await quiet(cloud)
    assert.deepEqual(await audit(cloud), [])
    assert.deepEqual(await cloud.hosts.list[0]!.hypervisor.list(cloud.context({ userId: '', roles: [] })), [])
    const counted = await cloud.store.read((tx) => tx.db.selectFrom('kitCounters').selectAll().where('name', 'like', '%/instances').execute())
    assert.ok(counted.every((c) => Number(c.value) === 0), JSON.stringify(counted))
  } finally {
    await stop()
  }
})

test('of many ups at once over one directory one wins, and the others say so', { timeout: 120_000 }, async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'pileus-race-'))
  const lives = Array.from({ length: 4 }, () => live(stateDir))
  t.after(async () => {
    for (const life of lives) await kill(life)
    await rm(stateDir, { recursive: true, force: true })
  })
  const ends = await Promise.allSettled(lives.map((l) => l.ready))
  assert.equal(ends.filter((e) => e.status === 'fulfilled').length, 1, JSON.stringify(ends.map((e) => String((e as PromiseRejectedResult).reason))))
  for (const e of ends) if (e.status === 'rejected') assert.match(String(e.reason), /runs already.*stop it with .\/pileus down/s)
  const winner = lives[ends.findIndex((e) => e.status === 'fulfilled')]!
  await waitFor('its name to be known', async () => ((await findRunning(stateDir))?.pid === winner.child.pid ? true : undefined), 10_000)
})
