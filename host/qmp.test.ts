import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openQmp, QmpFault } from '#host/qmp.ts'
import { removeTree } from '#host/files.ts'

const home = await mkdtemp(join(tmpdir(), 'pileus-qmp-'))
after(() => removeTree(home))
let number = 0

/** A machine that greets, and answers each command with what `answer` says; undefined says nothing. */
async function machine(answer: (command: string, args: unknown, socket: Socket) => unknown, greeting = '{"QMP": {"version": {}}}\r\n'): Promise<{ path: string, stop: () => void, sockets: Socket[] }> {
  const path = join(home, `${number++}.sock`), sockets: Socket[] = []
  const server = createServer(socket => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.write(greeting)
    let rest = ''
    socket.on('data', chunk => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const { execute, id, arguments: args } = JSON.parse(line)
        const reply = execute === 'qmp_capabilities' ? { return: {} } : answer(execute, args, socket)
        if (reply !== undefined) socket.write(`${JSON.stringify({ ...reply as object, id })}\r\n`)
      }
    })
  })
  await new Promise<void>(resolve => server.listen(path, resolve))
  return { path, sockets, stop: () => { server.close(); for (const socket of sockets) socket.destroy() } }
}
const refused = (errorClass: string) => (error: unknown): boolean => error instanceof QmpFault && error.errorClass === errorClass

test('commands are answered, each its own, errors keep their class', async () => {
  const m = await machine((command, args) => command === 'echo' ? { return: args } : { error: { class: 'GenericError', desc: 'a secret path' } })
  const qmp = await openQmp(m.path)
  assert.deepEqual(await Promise.all([1, 2, 3].map(n => qmp.execute('echo', { n }))), [{ n: 1 }, { n: 2 }, { n: 3 }])
  await assert.rejects(qmp.execute('no'), error => error instanceof QmpFault && error.errorClass === 'GenericError' && error.description === 'a secret path' && !error.message.includes('secret'))
  qmp.close()
  await qmp.closed
  await assert.rejects(qmp.execute('echo'), refused('Closed'))
  m.stop()
})

test('events, also in pieces and between answers', async () => {
  const m = await machine((_command, _args, socket) => {
    const event = Buffer.from('{"event": "ÄNDERUNG", "data": {"n": 1}}\r\n')
    socket.write(event.subarray(0, 12)) // in the middle of Ä
    setImmediate(() => socket.write(Buffer.concat([event.subarray(12), Buffer.from('{"event": "BARE"}\n')])))
  })
  const qmp = await openQmp(m.path)
  const seen: unknown[] = []
  const stop = qmp.onEvent(event => { seen.push(event) })
  const bare = qmp.event('go', ({ event }) => event === 'BARE', 5000)
  void qmp.execute('go').catch(() => {})
  await bare
  assert.deepEqual(seen, [{ event: 'ÄNDERUNG', data: { n: 1 } }, { event: 'BARE', data: {} }])
  stop()
  m.stop()
  await qmp.closed
})

test('no answer, a death in the middle, no greeting, nobody there', async () => {
  const m = await machine(() => undefined)
  const qmp = await openQmp(m.path)
  await assert.rejects(qmp.execute('slow', undefined, 10), refused('Timeout'))
  await assert.rejects(qmp.event('x', () => false, 10), refused('Timeout'))
  await assert.rejects(qmp.event('x', () => false, 10_000, AbortSignal.abort()), refused('Cancelled'))
  const pending = [qmp.execute('slow'), qmp.event('x', () => false, 10_000)].map(work => assert.rejects(work, refused('Closed')))
  m.stop()
  await Promise.all(pending)
  assert.equal(qmp.open, false)
  const mute = await machine(() => undefined, '')
  await assert.rejects(openQmp(mute.path, 20), refused('Timeout'))
  mute.stop()
  await assert.rejects(openQmp(join(home, 'none.sock')))
})

test('a taken-over machine that talks nonsense is hung up on', async () => {
  for (const nonsense of ['{"return": ', '[1]x\n', 'null\n', '"text"\n']) {
    const m = await machine((_c, _a, socket) => { socket.write(`${nonsense}\n`) })
    const qmp = await openQmp(m.path)
    await assert.rejects(qmp.execute('x'), refused('Closed'), nonsense)
    m.stop()
  }
  const loud = await machine((_c, _a, socket) => { const blow = (): void => { while (socket.writable && socket.write('x'.repeat(1 << 20))); socket.once('drain', blow) }; blow() })
  const qmp = await openQmp(loud.path)
  await assert.rejects(qmp.execute('x'), refused('Closed'))
  loud.stop()
})
