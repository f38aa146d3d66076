// `npm run bench`: CPU per request and other figures, beside those of real OpenStack Zed on the same kind of machine.
// Only ratios within one run mean anything; the calibration says how fast the machine is today. `--real` adds QEMU guests (root), `--only requests|images|candidates|real` picks rows.
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createHash, randomUUID } from 'node:crypto'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Transform, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { waitFor } from '#base/retry.ts'
import { createPasswords } from '#services/identity/passwords/hasher.ts'
import { realBoots } from './real.ts'
import { calibrate, cpuMs, http, measure, pssMib, start, type Figure } from './measure.ts'

/** Measured once elsewhere: real OpenStack Zed, 2 cores, CPU of all its processes. Milliseconds of CPU per request unless said. */
const zed: Record<string, string> = {
  'password token': '315', 'token validation': '28', 'servers/detail, 10': '285 (12 servers)', 'servers/detail, 100': '675', 'servers/detail, 1000': '5600', networks: '82', 'ports, 1000': '1020',
  'create → ACTIVE, one at a time': '4700', 'create → ACTIVE, 8 at once': '5200', 'memory, MiB PSS': '3600', 'upload 1 GiB': '198 MB/s', 'download 1 GiB': '1313 MB/s',
}
const rows: { name: string, ours: string, more: string }[] = []
const row = (name: string, ours: string, more = ''): void => {
  rows.push({ name, ours, more })
  process.stdout.write(`${name.padEnd(34)} ${ours.padStart(12)}   ${(zed[name] ? `Zed ${zed[name]}` : '').padEnd(24)} ${more}\n`)
}
const figure = (name: string, f: Figure): void => row(name, `${f.cpuMs.toFixed(2)} ms`, `p50 ${f.p50Ms.toFixed(1)} ms, p99 ${f.p99Ms.toFixed(1)} ms, ${f.perSecond.toFixed(0)}/s, n=${f.n}`)

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined
const wants = (name: string): boolean => only === undefined || only === name
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

const dir = await mkdtemp(join(tmpdir(), 'pileus-bench-'))
const cache = join(dir, 'cache')
try {
  row('calibration (200 MB sha512)', `${calibrate().toFixed(0)} ms`)
  if (wants('requests')) {
    // The first start fills the compile cache, as a prepared machine's would be.
    await (await start(here('serve.ts'), { stateDir: join(dir, 'first') }, cache)).stop().catch(() => {})
    await leastHash()
    const server = await start(here('serve.ts'), { stateDir: join(dir, 'first') }, cache)
    row('first answer after up', `${server.readyMs.toFixed(0)} ms`, 'a prepared machine, database there')
    try {
      await requests(server.pid, server.url)
    } finally {
      await server.stop()
    }
  }
  if (process.argv.includes('--real') || only === 'real') await realBoots(row, here('serve.ts'), join(dir, 'real'), cache)
  if (wants('images')) await images()
  if (wants('candidates')) await candidates()
} finally {
  await rm(dir, { recursive: true, force: true })
}

function logIn(url: string, user: string): ReturnType<typeof http> {
  const scope = { project: { name: user, domain: { id: 'default' } } }
  return http(url, 'POST', '/identity/v3/auth/tokens', undefined, { auth: { identity: { methods: ['password'], password: { user: { name: user, domain: { id: 'default' }, password: 'bench' } } }, scope } })
}

/**
 * All of a password token but its hash, by a server whose hash costs nothing. The difference above is more: a hash's 19 MiB push everything else out of the processor's
 * caches.
 */
async function leastHash(): Promise<void> {
  const server = await start(here('serve.ts'), { stateDir: join(dir, 'least'), passwordCost: { memoryKib: 8, passes: 1 } }, cache)
  try {
    await measure(server.pid, 300, 1, () => logIn(server.url, 'demo'))
    figure('password token, least hash', await measure(server.pid, 500, 1, () => logIn(server.url, 'demo')))
  } finally {
    await server.stop()
  }
}

async function requests(pid: number, url: string): Promise<void> {
  const login = (user: string): ReturnType<typeof http> => logIn(url, user)
  const { headers, body: { token: { project } } } = await login('demo')
  const token = String(headers['x-subject-token']), admin = String((await login('admin')).headers['x-subject-token'])
  await http(url, 'PUT', `/compute/v2.1/os-quota-sets/${project.id}`, admin, { quota_set: { instances: -1, cores: -1, ram: -1 } })
  await http(url, 'PUT', `/network/v2.0/quotas/${project.id}`, admin, { quota: { port: -1 } })

  const hasher = createPasswords(), t0 = process.cpuUsage()
  for (let i = 0; i < 10; i++) await hasher.hash('bench')
  const { user, system } = process.cpuUsage(t0), hashMs = (user + system) / 10_000
  row('one argon2id, 19 MiB, t=2', `${hashMs.toFixed(2)} ms`)
  await measure(pid, 100, 1, () => login('demo')) // the figure is not for a program that has just started
  const password = await measure(pid, 100, 1, () => login('demo'))
  figure('password token', password)
  row('… besides its argon2id', `${(password.cpuMs - hashMs).toFixed(2)} ms`)
  const get = (path: string, as = token) => async (): Promise<void> => {
    const reply = await http(url, 'GET', path, as)
    if (reply.status !== 200) throw new Error(`${path} answered ${reply.status}`)
  }
  await measure(pid, 200, 1, get('/compute/v2.1/flavors/detail'))
  figure('version document', await measure(pid, 2000, 1, get('/compute/v2.1')))
  figure('token validation', await measure(pid, 1000, 1, async () => { if ((await http(url, 'GET', '/identity/v3/auth/tokens', admin)).status === 500) throw new Error('500') }))
  const eight = async (n: number, make: (i: number) => Promise<{ status: number, body: unknown }>): Promise<void> => {
    let next = 0
    await Promise.all(Array.from({ length: 8 }, async () => { while (next < n) { const reply = await make(next++); if (reply.status !== 201) throw new Error(`${reply.status} ${JSON.stringify(reply.body)}`) } }))
  }
  await eight(1000, (i) => http(url, 'POST', '/identity/v3/users', admin, { user: { name: `bench-${i}` } }))
  figure('users, 1000', await measure(pid, 20, 1, get('/identity/v3/users', admin)))
  // The seeded image is the thousandth: no more are allowed.
  await eight(999, (i) => http(url, 'POST', '/image/v2/images', admin, { name: `bench-${i}`, disk_format: 'raw', container_format: 'bare' }))
  figure('images, 1000', await measure(pid, 20, 1, get('/image/v2/images?limit=1000', admin)))
  figure('networks', await measure(pid, 500, 1, get('/network/v2.0/networks')))

  const { body: { images: [image] } } = await http(url, 'GET', '/image/v2/images', token)
  // A network of its own, large enough for a thousand cards.
  const { body: { network } } = await http(url, 'POST', '/network/v2.0/networks', token, { network: { name: 'bench' } })
  await http(url, 'POST', '/network/v2.0/subnets', token, { subnet: { network_id: network.id, ip_version: 4, cidr: '10.64.0.0/16' } })
  const boot = async (): Promise<string> => {
    const reply = await http(url, 'POST', '/compute/v2.1/servers', token, { server: { name: 'bench', imageRef: image.id, flavorRef: '1', networks: [{ uuid: network.id }] } })
    if (reply.status !== 202) throw new Error(`POST /servers answered ${reply.status} ${JSON.stringify(reply.body)}`)
    return reply.body.server.id as string
  }
  const active = (id: string): Promise<true> => waitFor(`server ${id}`, async () => {
    const { body } = await http(url, 'GET', `/compute/v2.1/servers/${id}`, token)
    if (body.server.status === 'ERROR') throw new Error(JSON.stringify(body.server.fault))
    return body.server.status === 'ACTIVE' ? true : undefined
  }, 60_000, 5)
  figure('create → ACTIVE, one at a time', await measure(pid, 10, 1, async () => active(await boot())))
  figure('servers/detail, 10', await measure(pid, 300, 1, get('/compute/v2.1/servers/detail')))
  figure('create → ACTIVE, 8 at once', await measure(pid, 90, 8, async () => active(await boot())))
  figure('servers/detail, 100', await measure(pid, 100, 1, get('/compute/v2.1/servers/detail')))
  figure('… 900 more, 8 at once', await measure(pid, 900, 8, async () => active(await boot())))
  figure('servers/detail, 1000', await measure(pid, 20, 1, get('/compute/v2.1/servers/detail?limit=1000')))
  figure('ports, 1000', await measure(pid, 20, 1, get('/network/v2.0/ports')))
  row('memory, MiB PSS', pssMib(pid).toFixed(0))
  const before = cpuMs(pid)
  await new Promise((resolve) => setTimeout(resolve, 5000))
  row('idle', `${((cpuMs(pid) - before) / 50).toFixed(1)} % of a core`, '1000 servers, 5 s')
}

/** Allocation candidates over 1,000 and 10,000 hosts, each with 40 traits of an ordinary machine's, while hosts fill up: a claim before every question. */
async function candidates(): Promise<void> {
  const server = await start(here('serve.ts'), { stateDir: join(dir, 'candidates') }, cache)
  try {
    const { headers } = await http(server.url, 'POST', '/identity/v3/auth/tokens', undefined, { auth: {
      identity: { methods: ['password'], password: { user: { name: 'admin', domain: { id: 'default' }, password: 'bench' } } }, scope: { project: { name: 'admin', domain: { id: 'default' } } } } })
    const token = String(headers['x-subject-token']), latest = { 'openstack-api-version': 'placement 1.39' }
    const ask = async (method: string, path: string, body?: unknown): Promise<any> => {
      const reply = await http(server.url, method, `/placement${path}`, token, body, latest)
      if (reply.status >= 300) throw new Error(`${method} ${path} answered ${reply.status} ${JSON.stringify(reply.body)}`)
      return reply.body
    }
    const traits = (await ask('GET', '/traits?name=startswith:COMPUTE_')).traits.slice(0, 40)
    const hosts: string[] = []
    const add = async (): Promise<void> => {
      const { uuid } = await ask('POST', '/resource_providers', { name: `bench${hosts.length}-${Math.random()}` })
      hosts.push(uuid)
      await ask('PUT', `/resource_providers/${uuid}/inventories`, { resource_provider_generation: 0, inventories: { VCPU: { total: 64, allocation_ratio: 4 }, MEMORY_MB: { total: 262_144 }, DISK_GB: { total: 2000 } } })
      await ask('PUT', `/resource_providers/${uuid}/traits`, { resource_provider_generation: 1, traits })
    }
    const question = '/allocation_candidates?resources=VCPU:2,MEMORY_MB:4096,DISK_GB:20&required=COMPUTE_NODE'
    for (const n of [1000, 10_000]) {
      while (hosts.length < n) await Promise.all(Array.from({ length: 8 }, add))
      let claimed = 0
      const asked = (limit: number) => async (): Promise<void> => {
        await ask('PUT', `/allocations/${randomUUID()}`, { allocations: { [hosts[claimed++ % hosts.length]!]: { resources: { VCPU: 1 } } }, project_id: 'p', user_id: 'u', consumer_generation: null, consumer_type: 'INSTANCE' })
        const t0 = performance.now()
        const body = await http(server.url, 'GET', `/placement${question}&limit=${limit}`, token, undefined, latest, 'raw')
        waits.push(performance.now() - t0)
        if (body.status !== 200) throw new Error(`${body.status}`)
      }
      let waits: number[] = []
      for (const limit of [1000, 10]) {
        await measure(server.pid, 100, 1, asked(limit)) // not for a program that has just started
        waits = []
        const { cpuMs } = await measure(server.pid, 1000, 1, asked(limit))
        waits.sort((a, b) => a - b)
        row(`candidates, ${n}, limit ${limit}`, `${cpuMs.toFixed(2)} ms`, `with the claim before it; alone p50 ${waits[500]!.toFixed(1)} ms, p99 ${waits[989]!.toFixed(1)} ms`)
      }
    }
    row('… memory, MiB PSS', pssMib(server.pid).toFixed(0), '10,000 hosts')
  } finally {
    await server.stop()
  }
}

/** 1 GiB into the image service and out, beside node:http alone doing as much. */
async function images(): Promise<void> {
  const size = 1024 ** 3, chunk = Buffer.alloc(1024 ** 2, 0x5a)
  const source = (): Readable => Readable.from((function* () { for (let i = 0; i < size / chunk.length; i++) yield chunk })(), { objectMode: false, highWaterMark: chunk.length })
  const send = (url: string, token?: string): Promise<number> => new Promise((resolve, reject) => {
    const t0 = performance.now()
    const req = request(url, { method: 'PUT', headers: { 'content-type': 'application/octet-stream', 'content-length': size, ...(token && { 'x-auth-token': token }) } }, (res) => {
      res.resume()
      res.on('end', () => (res.statusCode! < 300 ? resolve(size / 1000 / (performance.now() - t0)) : reject(new Error(`${res.statusCode}`))))
    })
    req.on('error', reject)
    pipeline(source(), req).catch(reject)
  })
  const take = (url: string, token?: string): Promise<number> => new Promise((resolve, reject) => {
    const t0 = performance.now()
    const req = request(url, { headers: { ...(token && { 'x-auth-token': token }) } }, (res) => { res.resume(); res.on('end', () => resolve(size / 1000 / (performance.now() - t0))) })
    req.on('error', reject)
    req.end()
  })
  const file = join(dir, 'plain')
  const plain = createServer((req, res) => {
    if (req.method === 'GET') return void pipeline(createReadStream(file, { highWaterMark: 1024 ** 2 }), res).catch(() => {})
    const md5 = createHash('md5'), sha512 = createHash('sha512')
    const tap = new Transform({ highWaterMark: 1024 ** 2, transform(bytes: Buffer, _e, next) { md5.update(bytes); sha512.update(bytes); next(null, bytes) } })
    pipeline(req, tap, createWriteStream(file, { highWaterMark: 1024 ** 2, flush: true })).then(() => { md5.digest(); sha512.digest(); res.end() }, () => res.destroy())
  })
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  const plainUrl = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/`
  const server = await start(here('serve.ts'), { stateDir: join(dir, 'images') }, cache)
  try {
    const auth = await http(server.url, 'POST', '/identity/v3/auth/tokens', undefined, { auth: { identity: { methods: ['password'], password: { user: { name: 'demo', domain: { id: 'default' }, password: 'bench' } } }, scope: { project: { name: 'demo', domain: { id: 'default' } } } } })
    const token = String(auth.headers['x-subject-token'])
    const ups: number[] = [], plainUps: number[] = [], downs: number[] = [], plainDowns: number[] = []
    for (let i = 0; i < 3; i++) {
      const { body } = await http(server.url, 'POST', '/image/v2/images', token, { name: 'big', disk_format: 'raw', container_format: 'bare' })
      plainUps.push(await send(plainUrl))
      ups.push(await send(`${server.url}/image/v2/images/${body.id}/file`, token))
      plainDowns.push(await take(plainUrl))
      downs.push(await take(`${server.url}/image/v2/images/${body.id}/file`, token))
      await http(server.url, 'DELETE', `/image/v2/images/${body.id}`, token)
    }
    const middle = (list: number[]): number => [...list].sort((a, b) => a - b)[1]!
    row('upload 1 GiB', `${middle(ups).toFixed(0)} MB/s`, `plain node:http with both hashes ${middle(plainUps).toFixed(0)} MB/s: ${((100 * middle(ups)) / middle(plainUps)).toFixed(0)} %`)
    row('download 1 GiB', `${middle(downs).toFixed(0)} MB/s`, `plain node:http ${middle(plainDowns).toFixed(0)} MB/s: ${((100 * middle(downs)) / middle(plainDowns)).toFixed(0)} %`)
  } finally {
    await server.stop()
    plain.close()
  }
}
