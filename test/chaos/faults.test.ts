// Bad input and bad luck, over HTTP against a whole cloud: each a clear error, nothing lost, nothing left.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { readdir } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { waitFor } from '#base/retry.ts'
import { MIB } from '#base/units.ts'
import { startCloud } from '#bin/cloud.ts'
import type { CloudConfig } from '#bin/config.ts'
import { testCloud, testConfig, type TestCloud } from '../cloud.ts'
import { audit, quiet } from './audit.ts'

async function start(t: TestContext, over: Partial<CloudConfig> = {}): Promise<{ cloud: TestCloud, token: string }> {
  const cloud = await testCloud(over)
  t.after(() => cloud.close())
  return { cloud, token: await cloud.login() }
}
async function nothingWrong(cloud: TestCloud): Promise<void> {
  await cloud.runner.idle()
  await quiet(cloud)
  assert.deepEqual(await audit(cloud), [])
}
const show = async (cloud: TestCloud, token: string, id: string) => (await cloud.http(token, 'GET', `/compute/v2.1/servers/${id}`)).body.server

interface Sent { status: number, text: string }
/** A request as it is on the wire: any bytes, any headers. */
const send = (cloud: TestCloud, token: string | undefined, method: string, path: string, body: Buffer | string, headers: Record<string, string> = {}): Promise<Sent> => new Promise((resolve, reject) => {
  const req = request(cloud.url + path, { method, headers: { ...(token && { 'x-auth-token': token }), 'content-type': 'application/json', ...headers } }, (res) => {
    let text = ''
    res.setEncoding('utf8').on('data', (chunk: string) => { text += chunk }).on('end', () => resolve({ status: res.statusCode!, text }))
  })
  // A server that has refused already need not read on.
  let answered = false
  req.on('response', () => { answered = true }).on('error', (error) => { if (!answered) reject(error) })
  req.end(body)
})

test('no host has room: ERROR with the reason, each filter\'s count for administrators only', async (t) => {
  const { cloud, token } = await start(t, { fake: { vcpus: 4, memoryMib: 4096, diskGib: 100 } })
  const id = await cloud.boot(token, { flavorRef: '4' })
  const server = await cloud.settled(token, id, 'ERROR')
  assert.deepEqual(Object.keys(server.fault).sort(), ['code', 'created', 'message'])
  assert.equal(server.fault.message, 'No valid host was found. There are not enough hosts available.')
  assert.equal(server.fault.code, 500)
  const admin = await cloud.login('admin')
  assert.match((await show(cloud, admin, id)).fault.details, /1 known, 0 with room for .*8192 MEMORY_MB/)
  await nothingWrong(cloud)

  const { body: { services } } = await cloud.http(admin, 'GET', '/compute/v2.1/os-services?binary=nova-compute', undefined, { 'openstack-api-version': 'compute 2.53' })
  await cloud.http(admin, 'PUT', `/compute/v2.1/os-services/${services[0].id}`, { status: 'disabled' }, { 'openstack-api-version': 'compute 2.53' })
  const other = await cloud.boot(token)
  assert.equal((await cloud.settled(token, other, 'ERROR')).fault.details, undefined)
  assert.match((await show(cloud, admin, other)).fault.details, /1 known, 1 with room for .*; ComputeEnabled refused 1/)
  await nothingWrong(cloud)
})

test('a host that cannot start guests: the next one is tried, and the first is left as it was', async (t) => {
  const { cloud, token } = await start(t, { fake: { vcpus: 64, memoryMib: 262_144, diskGib: 10_000, hosts: 3 } })
  const hypervisors = cloud.hosts.list.map((h) => h.hypervisor as typeof cloud.hypervisor)
  const broken = hypervisors.slice(0, 2).map((h) => h.fail({ operation: 'ensure', afterwards: true, message: 'The machine monitor ended at its start.' }))
  const id = await cloud.boot(token), server = await cloud.settled(token, id, 'ACTIVE', 'ERROR')
  assert.equal(server.status, 'ACTIVE', JSON.stringify(server.fault))
  const admin = await cloud.login('admin')
  assert.equal((await show(cloud, admin, id))['OS-EXT-SRV-ATTR:host'], cloud.hosts.list[2]!.name)
  await nothingWrong(cloud)

  const last = hypervisors[2]!.fail({ operation: 'ensure', message: 'Its disk is broken.' })
  const failed = await cloud.boot(token), inError = await cloud.settled(token, failed, 'ERROR')
  assert.ok(['The machine monitor ended at its start.', 'Its disk is broken.'].includes(inError.fault.message), inError.fault.message)
  assert.match((await show(cloud, admin, failed)).fault.details, /^host-1/)
  await nothingWrong(cloud)
  for (const mend of [...broken, last]) mend()
})

test('fifty creates at once and a quota of ten: exactly ten', async (t) => {
  const { cloud, token } = await start(t)
  for (let round = 1; round <= 2; round++) {
    const replies = await Promise.all(Array.from({ length: 50 }, (_x, n) => cloud.http(token, 'POST', '/compute/v2.1/servers', { server: { name: `s${n}`, imageRef: cloud.imageId, flavorRef: '1', networks: [{ uuid: cloud.networkId }] } })))
    const made = replies.filter((r) => r.status === 202), refused = replies.filter((r) => r.status === 403)
    assert.deepEqual([made.length, refused.length], [10, 40], JSON.stringify(replies.find((r) => ![202, 403].includes(r.status))?.body))
    assert.match(refused[0]!.body.forbidden.message, /^Quota exceeded for instances: Requested 1, but already used 10 of 10 instances$/)
    const ids = made.map((r) => r.body.server.id as string)
    for (const id of ids) assert.equal((await cloud.settled(token, id, 'ACTIVE', 'ERROR')).status, 'ACTIVE')
    await nothingWrong(cloud)
    // Some with the front door, some at once.
    await Promise.all(ids.map((id) => cloud.http(token, 'DELETE', `/compute/v2.1/servers/${id}`)))
    for (const id of ids) await cloud.gone(token, id)
    await nothingWrong(cloud)
  }
})

test('addresses run out: ERROR for those who came too late, and each address is free again', async (t) => {
  const { cloud, token } = await start(t)
  const { body: { network } } = await cloud.http(token, 'POST', '/network/v2.0/networks', { network: { name: 'small' } })
  await cloud.http(token, 'POST', '/network/v2.0/subnets', { subnet: { network_id: network.id, ip_version: 4, cidr: '192.168.77.0/29' } })
  const ids = await Promise.all(Array.from({ length: 8 }, () => cloud.boot(token, { networks: [{ uuid: network.id }] })))
  const statuses: string[] = []
  for (const id of ids) {
    const server = await cloud.settled(token, id, 'ACTIVE', 'ERROR')
    statuses.push(server.status)
    if (server.status === 'ERROR') assert.match(server.fault.message, /No more IP addresses available on network/)
  }
  // Eight addresses, without the first, the last, the gateway and the DHCP server's.
  assert.equal(statuses.filter((s) => s === 'ACTIVE').length, 4, statuses.join())
  await nothingWrong(cloud)
  await Promise.all(ids.map((id) => cloud.http(token, 'DELETE', `/compute/v2.1/servers/${id}`)))
  for (const id of ids) await cloud.gone(token, id)
  await nothingWrong(cloud)
})

async function newImage(cloud: TestCloud, token: string, format = 'raw'): Promise<string> {
  const { status, body } = await cloud.http(token, 'POST', '/image/v2/images', { name: 'i', disk_format: format, container_format: 'bare' })
  assert.equal(status, 201, JSON.stringify(body))
  return body.id
}
const upload = (cloud: TestCloud, token: string, id: string, bytes: Buffer, headers: Record<string, string> = {}) => send(cloud, token, 'PUT', `/image/v2/images/${id}/file`, bytes, { 'content-type': 'application/octet-stream', ...headers })
const kept = async (cloud: TestCloud): Promise<string[]> => (await readdir(join(cloud.config.stateDir, 'images'), { recursive: true, withFileTypes: true })).filter((f) => f.isFile()).map((f) => f.name).sort()

test('an upload that breaks off, is too large, or is not what it says: queued again, nothing kept, and the next one works', async (t) => {
  const { cloud, token } = await start(t, { maxImageBytes: 2 * MIB })
  const before = await kept(cloud)
  const id = await newImage(cloud, token)
  const isQueued = async (): Promise<void> => {
    await waitFor('the image to be queued again', async () => ((await cloud.http(token, 'GET', `/image/v2/images/${id}`)).body.status === 'queued' ? true : undefined), 20_000, 5)
    await waitFor('what came of it to be gone', async () => ((await kept(cloud)).join() === before.join() ? true : undefined), 20_000, 5)
  }

  const url = new URL(cloud.url)
  const socket = connect(Number(url.port), url.hostname)
  socket.on('error', () => {})
  socket.write(`PUT /image/v2/images/${id}/file HTTP/1.1\r\nhost: ${url.host}\r\nx-auth-token: ${token}\r\ncontent-type: application/octet-stream\r\ncontent-length: ${MIB}\r\n\r\n`)
  socket.write(Buffer.alloc(MIB / 2, 7))
  await waitFor('the upload to have begun', async () => ((await cloud.http(token, 'GET', `/image/v2/images/${id}`)).body.status === 'saving' ? true : undefined), 20_000, 5)
  socket.destroy()
  await isQueued()

  assert.equal((await upload(cloud, token, id, Buffer.alloc(2 * MIB + 1))).status, 413)
  await isQueued()
  assert.equal((await upload(cloud, token, id, Buffer.alloc(2 * MIB + 1), { 'transfer-encoding': 'chunked' })).status, 413)
  await isQueued()

  const qcow2 = Buffer.alloc(256 * 1024)
  qcow2.write('QFI\xfb', 0, 'latin1')
  qcow2.writeUInt32BE(3, 4)
  qcow2.writeUInt32BE(16, 20)
  qcow2.writeBigUInt64BE(BigInt(1024 ** 3), 24)
  qcow2.writeUInt32BE(104, 100)
  const disguised = await upload(cloud, token, id, qcow2)
  assert.ok(disguised.status >= 400 && disguised.status < 500, `${disguised.status}`)
  assert.match(disguised.text, /qcow2/)
  await isQueued()

  assert.equal((await upload(cloud, token, id, Buffer.alloc(MIB, 7))).status, 204)
  assert.equal((await cloud.http(token, 'GET', `/image/v2/images/${id}`)).body.status, 'active')

  const backed = await newImage(cloud, token, 'qcow2')
  qcow2.writeBigUInt64BE(512n, 8)
  qcow2.writeUInt32BE(11, 16)
  qcow2.write('/etc/shadow', 512)
  const refused = await upload(cloud, token, backed, qcow2)
  assert.ok(refused.status >= 400 && refused.status < 500, `${refused.status}`)
  assert.match(refused.text, /backing/)
  assert.equal((await cloud.http(token, 'GET', `/image/v2/images/${backed}`)).body.status, 'queued')
  await cloud.http(token, 'DELETE', `/image/v2/images/${id}`)
  await waitFor('nothing to be kept', async () => ((await kept(cloud)).join() === before.join() ? true : undefined), 20_000, 5)
})

test('an image that goes away while its server is being built: ERROR that says so, nothing left', async (t) => {
  const { cloud, token } = await start(t)
  const id = await newImage(cloud, token)
  assert.equal((await upload(cloud, token, id, Buffer.alloc(MIB, 7))).status, 204)
  const { ownerUid } = cloud.network.standing.ports.values().next().value ?? { ownerUid: 0 }
  assert.equal(ownerUid, 0)
  // Deleted between the API's look and the host's.
  const { lifecycle } = cloud.parts.deps.compute, { build } = lifecycle
  lifecycle.build = async (tx, ctx, plan) => { await tx.db.deleteFrom('imageImages' as never).where('id' as never, '=', id as never).execute(); return build(tx, ctx, plan) }
  const server = await cloud.settled(token, await cloud.boot(token, { imageRef: id }), 'ERROR')
  assert.match(server.fault.message, /image/i)
  await nothingWrong(cloud)
})

test('metadata called like a prototype is data', async (t) => {
  const { cloud, token } = await start(t)
  const metadata = '{"__proto__": "a", "constructor": "b", "toString": "c"}'
  const { status, text } = await send(cloud, token, 'POST', '/compute/v2.1/servers', `{"server": {"name": "a", "imageRef": "${cloud.imageId}", "flavorRef": "1", "networks": [{"uuid": "${cloud.networkId}"}], "metadata": ${metadata}, "config_drive": true}}`)
  assert.equal(status, 202, text)
  const { id } = JSON.parse(text).server
  assert.deepEqual(Object.entries((await cloud.settled(token, id, 'ACTIVE', 'ERROR')).metadata).sort(), Object.entries(JSON.parse(metadata)).sort())
  assert.equal((await show(cloud, token, id)).status, 'ACTIVE')
  const one = await cloud.http(token, 'GET', `/compute/v2.1/servers/${id}/metadata/__proto__`)
  assert.equal(JSON.stringify(one.body), '{"meta":{"__proto__":"a"}}')
  assert.equal((await cloud.http(token, 'DELETE', `/compute/v2.1/servers/${id}/metadata/__proto__`)).status, 204)
  assert.deepEqual(Object.keys((await show(cloud, token, id)).metadata).sort(), ['constructor', 'toString'])
  assert.equal(({} as { a?: string }).a, undefined)
  await nothingWrong(cloud)
})

test('hostile bodies', async (t) => {
  const { cloud, token } = await start(t)
  const posts = ['/compute/v2.1/servers', '/network/v2.0/networks', '/image/v2/images', '/identity/v3/auth/tokens', '/placement/resource_providers']
  const admin = await cloud.login('admin')
  const hostile: [what: string, body: Buffer | string, headers: Record<string, string>, status: number][] = [
    ['many megabytes', Buffer.alloc(64 * MIB, 32), {}, 413],
    ['many megabytes without a length', Buffer.alloc(64 * MIB, 32), { 'transfer-encoding': 'chunked' }, 413],
    ['a body that is not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), {}, 400],
    ['a body that is not JSON', '{"server": ', {}, 400],
    ['brackets without end', '['.repeat(100_000), {}, 400],
    ['deep nesting', `{"server": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`, {}, 400],
    ['a list', '[]', {}, 400],
    ['null', 'null', {}, 400],
    ['another language', '<server/>', { 'content-type': 'application/xml' }, 415],
  ]
  for (const path of posts) for (const [what, body, headers, status] of hostile) {
    const reply = await send(cloud, admin, 'POST', path, body, { accept: 'application/json', ...headers })
    assert.equal(reply.status, status, `${path}: ${what} answered ${reply.status} ${reply.text.slice(0, 200)}`)
    assert.doesNotMatch(reply.text, /at \S+ \(|\.ts:\d+/, 'no stack is shown')
    assert.ok(JSON.parse(reply.text), `${path}: ${what} has an envelope`)
  }
  for (const [body, status] of [
    [{ server: { name: 'a', imageRef: cloud.imageId, flavorRef: '1', networks: 'auto', unknown: 1 } }, 400], [{ server: { name: 7, imageRef: cloud.imageId, flavorRef: '1' } }, 400],
    [{ server: { name: 'a'.repeat(256), imageRef: cloud.imageId, flavorRef: '1' } }, 400], [{ server: { name: 'a', imageRef: 'no-such', flavorRef: '1' } }, 400],
    [{ server: { name: 'a', imageRef: cloud.imageId, flavorRef: 'no-such' } }, 400], [{ server: { name: 'a', imageRef: cloud.imageId, flavorRef: '1', min_count: 1e9, max_count: 1e9 } }, 403],
    [{ server: { name: 'a\u0000b', imageRef: cloud.imageId, flavorRef: '1', networks: [{ uuid: cloud.networkId }] } }, 400],
  ] as const) {
    const reply = await cloud.http(token, 'POST', '/compute/v2.1/servers', body)
    assert.equal(reply.status, status, `${JSON.stringify(body).slice(0, 200)} answered ${reply.status} ${JSON.stringify(reply.body)}`)
  }
  await nothingWrong(cloud)
})

test('paths, queries and headers that are not well formed', async (t) => {
  const { cloud, token } = await start(t)
  for (const path of ['/compute/v2.1/servers/%00', '/compute/v2.1/servers/%ff%fe', '/compute/v2.1/servers/..%2f..%2fetc', `/compute/v2.1/servers/${'a'.repeat(4000)}`, '/network/v2.0/ports/%E0%A4%A', '/image/v2/images/%00', '/identity/v3/users/%00']) {
    const { status, text } = await send(cloud, token, 'GET', path, '')
    assert.ok(status >= 400 && status < 500, `${path.slice(0, 60)} answered ${status} ${text.slice(0, 200)}`)
  }
  for (const query of ['limit=-1', 'limit=x', 'limit=99999999999999999999', 'marker=no-such', 'sort_key=%00', 'sort_dir=sideways', 'name=%5B', 'changes-since=yesterday', '%ff=%ff']) {
    const { status, text } = await send(cloud, token, 'GET', `/compute/v2.1/servers/detail?${query}`, '')
    assert.ok(status < 500, `${query} answered ${status} ${text.slice(0, 200)}`)
  }
  for (const version of ['2.x', '99.0', '2.9999', 'latest', '']) {
    const { status } = await send(cloud, token, 'GET', '/compute/v2.1/servers', '', { 'openstack-api-version': `compute ${version}` })
    assert.ok(version === 'latest' ? status === 200 : status === 400 || status === 406 || status === 200, `${version} answered ${status}`)
  }
})

test('tokens that are wrong, revoked or expired', async (t) => {
  const { cloud, token } = await start(t)
  const ask = async (as: string | undefined): Promise<number[]> => Promise.all(['/compute/v2.1/servers', '/network/v2.0/networks', '/image/v2/images', '/identity/v3/auth/projects'].map(async (path) => (await cloud.http(as, 'GET', path)).status))
  assert.deepEqual(await ask(token), [200, 200, 200, 200])
  for (const wrong of [undefined, 'x', `${token}x`, `x${token.slice(1)}`, token.slice(0, -4), 'a'.repeat(8000), token.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A'))]) assert.deepEqual(await ask(wrong), [401, 401, 401, 401], String(wrong).slice(0, 40))

  const other = await cloud.login()
  assert.equal((await cloud.http(token, 'DELETE', '/identity/v3/auth/tokens', undefined, { 'x-subject-token': other })).status, 204)
  assert.deepEqual(await ask(other), [401, 401, 401, 401])
  assert.deepEqual(await ask(token), [200, 200, 200, 200])

  // What runs goes on when the token it was asked for with has ended.
  const id = await cloud.boot(token)
  const { identity } = cloud.parts.deps
  const { clock } = identity
  Object.assign(identity, { clock: () => clock() + 3600_000 * 25 })
  assert.deepEqual(await ask(token), [401, 401, 401, 401])
  Object.assign(identity, { clock })
  await cloud.settled(token, id, 'ACTIVE')
  await nothingWrong(cloud)
})

test('another project\'s things do not exist', async (t) => {
  const { cloud, token } = await start(t)
  const admin = await cloud.login('admin')
  const { body: { project } } = await cloud.http(admin, 'POST', '/identity/v3/projects', { project: { name: 'other', domain_id: 'default' } })
  const { body: { user } } = await cloud.http(admin, 'POST', '/identity/v3/users', { user: { name: 'other', password: 'a password of its own', domain_id: 'default' } })
  const { body: { roles: [member] } } = await cloud.http(admin, 'GET', '/identity/v3/roles?name=member')
  await cloud.http(admin, 'PUT', `/identity/v3/projects/${project.id}/users/${user.id}/roles/${member.id}`)
  const reply = await cloud.http(undefined, 'POST', '/identity/v3/auth/tokens', { auth: { identity: { methods: ['password'], password: { user: { id: user.id, password: 'a password of its own' } } }, scope: { project: { id: project.id } } } })
  const stranger = reply.headers.get('x-subject-token')!
  const id = await cloud.boot(token)
  await cloud.settled(token, id, 'ACTIVE')
  const { body: { ports: [port] } } = await cloud.http(token, 'GET', `/network/v2.0/ports?device_id=${id}`)
  for (const [method, path, body] of [
    ['GET', `/compute/v2.1/servers/${id}`], ['DELETE', `/compute/v2.1/servers/${id}`], ['POST', `/compute/v2.1/servers/${id}/action`, { 'os-stop': null }],
    ['GET', `/network/v2.0/ports/${port.id}`], ['DELETE', `/network/v2.0/ports/${port.id}`], ['GET', `/network/v2.0/networks/${cloud.networkId}`],
  ] as const) assert.equal((await cloud.http(stranger, method, path, body)).status, 404, `${method} ${path}`)
  for (const networks of [[{ uuid: cloud.networkId }], [{ port: port.id }]]) {
    const { status } = await cloud.http(stranger, 'POST', '/compute/v2.1/servers', { server: { name: 'a', imageRef: cloud.imageId, flavorRef: '1', networks } })
    assert.equal(status, 400)
  }
  await nothingWrong(cloud)
})

test('a port in use: an early, clear error, and nothing is held', async (t) => {
  const { cloud } = await start(t)
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  t.after(() => taken.close())
  const { port } = taken.address() as AddressInfo
  await cloud.stop()
  await assert.rejects(startCloud({ ...cloud.config, listen: { address: '127.0.0.1', port } }), { code: 'EADDRINUSE' })
  const again = await cloud.restart()
  await nothingWrong(again)
  await again.stop()
})
void testConfig
