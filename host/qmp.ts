// A client of QEMU's machine protocol: one JSON object a line over a unix socket.
// What comes in was written by a process that a guest may have taken over, so lines are bounded and nothing is trusted to have a shape.
// https://www.qemu.org/docs/master/interop/qmp-spec.html
import type { Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import { Fault } from '#base/errors.ts'
import { MIB } from '#base/units.ts'
import { connectUnix } from './sockets.ts'

/** QEMU refused a command, or is not there to answer. `errorClass` is QMP's own (GenericError, DeviceNotFound …), or Timeout, Closed. */
export class QmpFault extends Fault {
  readonly errorClass: string
  readonly description: string
  constructor(command: string, errorClass: string, description: string) {
    super('unavailable', `The hypervisor did not carry out ${command}`, { adminDetail: description, cause: new Error(`${errorClass}: ${description}`) })
    this.errorClass = errorClass
    this.description = description
  }
}

export interface QmpEvent { event: string, data: Record<string, unknown> }

const longestLine = 16 * MIB

interface Waiting { command: string, resolve: (answer: unknown) => void, reject: (error: Error) => void, timer: NodeJS.Timeout }

/** A connection that is ready for commands. A monitor speaks to one client at a time: a second one waits in the queue. */
export class Qmp {
  /** Settles when the connection is over, for whatever reason: with the process's death it comes at once. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #waiting = new Map<string, Waiting>()
  readonly #listeners = new Set<(event: QmpEvent) => void>()
  #next = 1
  #open = true

  constructor(socket: Socket) {
    this.#socket = socket
    this.closed = new Promise(resolve => socket.once('close', () => { this.#ended(); resolve() }))
    socket.on('error', () => {}) // 'close' follows
  }

  get open(): boolean { return this.#open }

  /** Runs a command and answers its `return`. Throws a QmpFault. 10 s unless told. */
  execute<T = unknown>(command: string, args?: Record<string, unknown>, timeoutMs = 10_000): Promise<T> {
    if (!this.#open) return Promise.reject(new QmpFault(command, 'Closed', 'the connection is closed'))
    const id = String(this.#next++)
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(new QmpFault(command, 'Timeout', `no answer within ${timeoutMs} ms`))
      }, timeoutMs)
      this.#waiting.set(id, { command, resolve: resolve as (answer: unknown) => void, reject, timer })
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`)
    })
  }

  /** Calls `listener` for each event from now on; answers a function that ends that. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** Settles with the first event that `wanted` accepts. Ask before the command that causes it. Throws a QmpFault (Timeout, Closed). */
  event(what: string, wanted: (event: QmpEvent) => boolean, timeoutMs: number, signal?: AbortSignal): Promise<QmpEvent> {
    return new Promise((resolve, reject) => {
      const over = (): void => { clearTimeout(timer); stop(); signal?.removeEventListener('abort', aborted) }
      const stop = this.onEvent(event => { if (wanted(event)) { over(); resolve(event) } })
      const fail = (errorClass: string, why: string): void => { over(); reject(new QmpFault(what, errorClass, why)) }
      const aborted = (): void => fail('Cancelled', 'nobody waits any more')
      const timer = setTimeout(() => fail('Timeout', `nothing within ${timeoutMs} ms`), timeoutMs)
      if (signal?.aborted) return aborted()
      signal?.addEventListener('abort', aborted, { once: true })
      void this.closed.then(() => fail('Closed', 'the connection was closed'))
    })
  }

  close(): void { this.#socket.destroy() }
  /** The process may end although this connection is open. */
  unref(): void { this.#socket.unref() }

  /** Called with each parsed line; the greeting is not one of them. */
  receive(line: Record<string, unknown>): void {
    if (typeof line.event === 'string') {
      const event: QmpEvent = { event: line.event, data: typeof line.data === 'object' && line.data !== null ? line.data as Record<string, unknown> : {} }
      for (const listener of [...this.#listeners]) listener(event)
      return
    }
    const id = String(line.id), waiting = this.#waiting.get(id)
    if (!waiting) return
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    const error = line.error as { class?: unknown, desc?: unknown } | undefined
    if (error) waiting.reject(new QmpFault(waiting.command, String(error.class), String(error.desc)))
    else waiting.resolve(line.return)
  }

  #ended(): void {
    this.#open = false
    for (const { command, reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(new QmpFault(command, 'Closed', 'the connection was closed before the answer'))
    }
    this.#waiting.clear()
  }
}

/**
 * Connects, awaits the greeting and takes up the protocol. With a socket made by `listenFor` the greeting comes when QEMU has started, so this is also how to wait for it.
 * Throws a QmpFault (Timeout, Closed) or a Fault if nothing listens.
 */
export async function openQmp(path: string, timeoutMs = 10_000): Promise<Qmp> {
  const socket = await connectUnix(path, timeoutMs)
  const qmp = new Qmp(socket)
  let greeted: () => void = () => {}
  const greeting = new Promise<void>(resolve => { greeted = resolve })
  const text = new StringDecoder('utf8') // a character may be split between two reads
  let rest = ''
  socket.on('data', (chunk: Buffer) => {
    rest += text.write(chunk)
    if (rest.length > longestLine) return void socket.destroy()
    if (!chunk.includes(10)) return
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.trim() === '') continue
      let parsed: unknown
      try { parsed = JSON.parse(line) } catch { return void socket.destroy() }
      if (typeof parsed !== 'object' || parsed === null) return void socket.destroy()
      if ('QMP' in parsed) greeted()
      else qmp.receive(parsed as Record<string, unknown>)
    }
  })
  let timer: NodeJS.Timeout | undefined
  try {
    await Promise.race([
      greeting,
      qmp.closed.then(() => { throw new QmpFault('greeting', 'Closed', 'the connection was closed before the greeting') }),
      new Promise((_resolve, reject) => { timer = setTimeout(() => reject(new QmpFault('greeting', 'Timeout', `no greeting within ${timeoutMs} ms`)), timeoutMs) }),
    ])
    await qmp.execute('qmp_capabilities', undefined, timeoutMs)
    return qmp
  } catch (error) {
    qmp.close()
    throw error
  } finally {
    clearTimeout(timer)
  }
}
