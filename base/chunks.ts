// A stream of bytes that somebody sends, and what goes wrong with it in words that he may read.
import type { Readable } from 'node:stream'
import { badRequest, conflict, isFault, tooLarge } from './errors.ts'

export const tooMuch = (maxBytes: number): Error => tooLarge(`The data is larger than the ${maxBytes} bytes that are allowed.`)

/**
 * The stream's chunks. That the sender failed or went away before the end is a Fault. Whoever stops early leaves the stream as it is: destroying a request would take the
 * connection with it on which the answer is to go.
 */
export async function* chunksOf(body: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) yield chunk
  } catch (cause) {
    throw isFault(cause) ? cause : badRequest('The data broke off before its end.', { type: 'BrokenUpload', cause })
  }
}

/** Works on a stream of its own until it ends or nobody wants it any more: then the stream breaks off, and with it whatever waits for its bytes. It is closed afterwards. */
export async function whileWanted<T>(signal: AbortSignal | undefined, body: Readable, work: (body: Readable) => Promise<T>): Promise<T> {
  const stop = (): void => { body.destroy(conflict('Nobody waits for the data any more.', { type: 'Stopped', cause: signal?.reason })) }
  body.on('error', () => {}) // whoever reads it hears of it; nobody may have begun to
  if (signal?.aborted) stop()
  else signal?.addEventListener('abort', stop, { once: true })
  try {
    return await work(body)
  } finally {
    signal?.removeEventListener('abort', stop)
    body.destroy()
  }
}
