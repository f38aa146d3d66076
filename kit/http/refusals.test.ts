// What a client sees whose request is refused, above all while it is still sending.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { badRequest } from '#base/errors.ts'
import { anyone, authenticated } from '#kit/policy/rules.ts'
import { startApi, type TestApi } from '#kit/testing/api.ts'
import { operationsOf } from './operation.ts'

const operation = operationsOf<undefined>(), MIB = 1024 ** 2
const operations = [
  operation({ name: 'upload', method: 'PUT', path: '/upload', summary: 'Refuses what it has begun to read.', access: authenticated, body: 'stream', async handle(_ctx, { stream }) {
    for await (const _chunk of stream.iterator({ destroyOnReturn: false })) throw badRequest('not this')
  } }),
  operation({ name: 'show', method: 'GET', path: '/thing', summary: 'Shows.', access: authenticated, async handle() { return {} } }),
  operation({ name: 'post', method: 'POST', path: '/post', summary: 'Takes JSON.', access: authenticated, async handle() {} }),
]
let api: TestApi
before(async () => {
  const http = { name: 'toy', mount: '/toy', prefixes: [''], operations, envelope: (fault: { status: number, message: string }) => ({ error: { code: fault.status, message: fault.message } }) }
  api = await startApi({ services: [{ module: { http, migrations: [] } as never, deps: () => undefined }], patience: { bytes: 40 * MIB, ms: 60_000 } })
})
after(() => api.close())

/** Sends a request's head. */
async function begin(request: string, length: number | 'chunked', token = 'member', more = '', to = api): Promise<Socket> {
  const { hostname, port } = new URL(to.publicUrl)
  const socket = connect({ port: Number(port), host: hostname })
  await once(socket, 'connect')
  socket.write(`${request} HTTP/1.1\r\nhost: toy\r\nx-auth-token: ${token}\r\n${more}content-type: application/octet-stream\r\n${length === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${length}`}\r\n\r\n`)
  return socket
}
const write = (socket: Socket, bytes: Buffer | string): Promise<void> => new Promise((done, failed) => { socket.write(bytes, (error) => error ? failed(error) : done()) })
async function read(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

for (const [what, request, length, token, status] of [
  ['nobody\'s large body', 'POST /toy/post', 32 * MIB, 'wrong', 401], ['a body that is said to be too large', 'POST /toy/post', 32 * MIB, 'member', 413], ['a body that turns out too large', 'POST /toy/post', 'chunked', 'member', 413],
  ['a body for nothing', 'POST /toy/nothing', 32 * MIB, 'member', 404], ['an upload whose beginning is wrong', 'PUT /toy/upload', 32 * MIB, 'member', 400],
] as const) {
  test(`${what}: who sends all of it before he reads finds the ${status}, and then the connection closed`, async () => {
    const socket = await begin(request, length, token), piece = Buffer.alloc(MIB, 32)
    for (let i = 0; i < 32; i++) await write(socket, length === 'chunked' ? Buffer.concat([Buffer.from(`${MIB.toString(16)}\r\n`), piece, Buffer.from('\r\n')]) : piece)
    if (length === 'chunked') await write(socket, '0\r\n\r\n')
    const [head, body] = (await read(socket)).split('\r\n\r\n')
    assert.match(head!, new RegExp(`^HTTP/1.1 ${status} `))
    assert.match(head!, /connection: close/i)
    assert.equal(JSON.parse(body!).error.code, status)
  })
}

test('who does not send the rest finds the answer at once', async () => {
  const socket = await begin('POST /toy/post', 32 * MIB)
  const [first] = await once(socket, 'data')
  assert.match(String(first), /^HTTP\/1.1 413 /)
  socket.destroy()
})

test('who never stops sending is cut off', async () => {
  const socket = await begin('POST /toy/post', 4096 * MIB), piece = Buffer.alloc(MIB, 32)
  socket.on('error', () => {})
  let sent = 0
  await assert.rejects(async () => { for (; sent < 4096; sent++) await write(socket, piece) }, { code: /^(EPIPE|ECONNRESET)$/ })
  assert.ok(sent >= 40 && sent < 200, `after ${sent} MiB`)
})

test('who asks before he sends is told to go on, or why not', async () => {
  const body = '{"a": 1}', expect = 'expect: 100-continue\r\n'
  const refused = await begin('POST /toy/post', body.length, 'wrong', expect)
  assert.match(String((await once(refused, 'data'))[0]), /^HTTP\/1.1 401 /)
  refused.destroy()
  for (const path of ['POST /toy/post', 'PUT /toy/upload']) {
    const socket = await begin(path, body.length, 'member', `${expect}connection: close\r\n`)
    assert.equal(String((await once(socket, 'data'))[0]), 'HTTP/1.1 100 Continue\r\n\r\n')
    await write(socket, body)
    assert.match(await read(socket), /^HTTP\/1.1 4(15|00) /)
  }
})

test('who does not send the rest of a small body is not waited for without end, known or unknown', async (t) => {
  const http = {
    name: 'toy', mount: '/toy', prefixes: [''], envelope: (fault: { status: number, message: string }) => ({ error: { code: fault.status, message: fault.message } }),
    operations: [...operations, operation({ name: 'enter', method: 'POST', path: '/enter', summary: 'Takes JSON of anybody.', access: anyone, async handle() {} })],
  }
  const hasty = await startApi({ services: [{ module: { http, migrations: [] } as never, deps: () => undefined }], bodyMs: 50, patience: { bytes: MIB, ms: 50 } })
  t.after(() => hasty.close())
  for (const path of ['POST /toy/post', 'POST /toy/enter']) {
    const socket = await begin(path, 100, 'member', '', hasty)
    await write(socket, '{"a":')
    const [head, body] = (await read(socket)).split('\r\n\r\n')
    assert.match(head!, /^HTTP\/1.1 400 [^]*connection: close/i)
    assert.match(body!, /did not come within/)
  }
})

test('whom nobody knows yet is not listened to for long', async (t) => {
  const http = { name: 'toy', mount: '/toy', prefixes: [''], envelope: (fault: { status: number }) => ({ error: { code: fault.status } }), operations: [operation({ name: 'enter', method: 'POST', path: '/enter', summary: 'Takes JSON of anybody.', access: anyone, async handle() {} })] }
  const open = await startApi({ services: [{ module: { http, migrations: [] } as never, deps: () => undefined }] })
  t.after(() => open.close())
  assert.equal((await open.http('POST', '/toy/enter', { body: { a: 'x'.repeat(100_000) } })).status, 204)
  assert.equal((await open.http('POST', '/toy/enter', { body: { a: 'x'.repeat(120_000) } })).status, 413)
})

test('a method that there is not is a 405 that names those there are; on an empty id a 404', async () => {
  const reply = await api.http('DELETE', '/toy/post', { token: 'member' })
  assert.deepEqual([reply.status, reply.headers.get('allow')], [405, 'POST'])
  assert.equal((await api.http('DELETE', '/toy/thing', { token: 'member' })).headers.get('allow'), 'GET, HEAD', 'what is read may be asked for without its body')
  assert.equal((await api.http('DELETE', '/toy/post/', { token: 'member' })).status, 404)
  assert.equal((await api.http('POST', '/toy/post/', { token: 'member' })).status, 204)
})
