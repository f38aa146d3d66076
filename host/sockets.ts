// Unix sockets that are handed to children: made by us (so in a place only we can write), listened on by them.
import { createServer, connect } from 'node:net'
import type { Socket } from 'node:net'
import { lchown, open, rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { unavailable } from '#base/errors.ts'

/** sockaddr_un holds 108 bytes with the closing zero; longer paths are reached through a handle of their directory. */
const longest = 107

async function reachable<T>(path: string, use: (short: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) <= longest) return use(path)
  const directory = await open(dirname(path), 'r')
  try {
    return await use(`/proc/self/fd/${directory.fd}/${basename(path)}`)
  } finally {
    await directory.close()
  }
}

export interface Listening {
  /** For the child's stdio list. */
  fd: number
  /** Lets go of our end; the path stays and the child goes on listening. Call it once the child has started, or when it did not. */
  release(): Promise<void>
}

/** Binds and listens on `path`, replacing what was there. Whoever connects waits until the child that inherits `fd` accepts: no polling for readiness. */
export async function listenFor(path: string): Promise<Listening> {
  // Node removes a server's path when it closes, so it is bound under another name and renamed: the path must outlive us.
  const temporary = `${path}.new`
  await rm(temporary, { force: true })
  const server = createServer(connection => connection.destroy())
  await reachable(temporary, short => new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path: short, backlog: 8 }, resolve)
  }))
  server.unref()
  const release = (): Promise<void> => new Promise(resolve => server.close(() => resolve()))
  try {
    await rename(temporary, path)
    const fd = (server as unknown as { _handle?: { fd?: number } })._handle?.fd
    if (typeof fd !== 'number' || fd < 0) throw new Error('this runtime does not tell a server\'s file descriptor')
    return { fd, release }
  } catch (error) {
    await release()
    throw error
  }
}

/** Connects to a unix socket, however long its path. */
export const connectUnix = (path: string, timeoutMs = 5000): Promise<Socket> => reachable(path, short => new Promise((resolve, reject) => {
  const socket = connect(short)
  const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs)
  socket.once('connect', () => { clearTimeout(timer); socket.off('error', failed); resolve(socket) })
  const failed = (cause: Error): void => { clearTimeout(timer); reject(unavailable('A socket of the host does not answer', { cause })) }
  socket.once('error', failed)
}))

/**
 * Listens on `path`, owned by `uid`, for one connection and hands its stream to `sink`; answers when that has taken everything. `cancel` ends the waiting.
 * For a process without rights of its own that must hand over bytes. The path is removed afterwards.
 */
export async function receiveOnce(path: string, uid: number, sink: (stream: Socket) => Promise<void>): Promise<{ done: Promise<void>, cancel(): void }> {
  await rm(path, { force: true })
  const server = createServer()
  const done = new Promise<void>((resolve, reject) => {
    server.once('connection', stream => { server.close(); sink(stream).then(resolve, error => { stream.destroy(); reject(error) }) })
    server.once('error', reject)
    server.once('close', () => { if (!connected) reject(unavailable('Nobody came to hand over')) })
  })
  let connected = false
  server.once('connection', () => { connected = true })
  done.catch(() => {})
  await reachable(path, short => new Promise<void>((resolve, reject) => { server.once('error', reject); server.listen(short, resolve) }))
  await lchown(path, uid, uid) // it lies in a directory of that uid: a link put in its place is not followed
  return { done, cancel: () => { server.close() } }
}
