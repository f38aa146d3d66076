// A proxy before a cloud that writes down what clients say to it, free of ids and secrets, so that it can be said again to another cloud.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { leaves, fieldsOf, wayTo, type Exchange, type Json } from './conversation.ts'

export interface Recorder {
  /** Where clients find the cloud. */
  url: string
  /** The cloud itself, once it is known. */
  target: string
  /** Everything since the last call, templated. `seeded`: ids that every cloud has, by name. */
  take(seeded?: Record<string, string>): Exchange[]
  close(): Promise<void>
}

interface Heard { method: string, path: string, headers: IncomingHttpHeaders, body: string, status: number, answer: string, issued: string | null }

const keptHeaders = ['openstack-api-version', 'x-openstack-nova-api-version', 'accept', 'content-type']
const idLike = /^([0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d+\.\d+\.\d+\.\d+)$/
const parse = (text: string): Json | undefined => { try { return JSON.parse(text) as Json } catch { return undefined } }

/** `secrets` are replaced by their names. */
export async function startRecorder(secrets: Record<string, string>): Promise<Recorder> {
  let heard: Heard[] = []
  const recorder = { target: '' }
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const headers = Object.fromEntries(Object.entries(req.headers).filter(([name]) => !['host', 'connection', 'content-length', 'transfer-encoding', 'accept-encoding', 'expect'].includes(name))) as Record<string, string>
    const reply = await fetch(recorder.target + req.url!, { method: req.method!, headers, redirect: 'manual', ...(body.length > 0 && { body }) })
    const answer = Buffer.from(await reply.arrayBuffer())
    heard.push({ method: req.method!, path: req.url!, headers: req.headers, body: body.toString(), status: reply.status, answer: answer.toString(), issued: reply.headers.get('x-subject-token') })
    res.writeHead(reply.status, Object.fromEntries([...reply.headers].filter(([name]) => !['content-length', 'transfer-encoding', 'connection', 'content-encoding', 'keep-alive'].includes(name))))
    res.end(req.method === 'HEAD' ? undefined : answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    get target() { return recorder.target },
    set target(value) { recorder.target = value },
    take(seeded = {}) {
      const exchanges = template(heard, url, secrets, seeded)
      heard = []
      return exchanges
    },
    close: () => new Promise((resolve) => { server.close(() => resolve()); server.closeAllConnections() }),
  }
}

function template(heard: Heard[], url: string, secrets: Record<string, string>, seeded: Record<string, string>): Exchange[] {
  /** Values that only this cloud has, and where they were learnt. */
  const learnt = new Map(Object.entries(seeded).map(([name, id]) => [id, `\${seeded:${name}}`]))
  const passwords = new Map(Object.entries(secrets).map(([name, value]) => [value, `\${password:${name}}`]))
  const swap = (text: string): string => {
    for (const [value, words] of [...learnt].sort((a, b) => b[0].length - a[0].length)) text = text.replaceAll(value, words)
    return text.replaceAll(url, '${url}')
  }
  const clean = (value: Json, key = ''): Json => {
    if (typeof value === 'string') {
      if (/^(password|adminPass|admin_pass|original_password|secret)$/.test(key)) {
        if (!passwords.has(value)) passwords.set(value, `\${password:${passwords.size}}`)
        return passwords.get(value)!
      }
      return swap(value)
    }
    if (Array.isArray(value)) return value.map((item) => clean(item, key))
    if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, item]) => [swap(name), clean(item, name)]))
    return value
  }

  const exchanges: Exchange[] = [], tokens = new Map<string, number>()
  for (const h of heard) {
    const path = swap(h.path), body = h.body === '' ? undefined : parse(h.body), answer = parse(h.answer)
    const headers = Object.fromEntries(keptHeaders.filter((name) => h.headers[name] !== undefined && h.headers[name] !== '*/*').map((name) => [name, String(h.headers[name])]))
    const sender = tokens.get(String(h.headers['x-auth-token'])), subject = tokens.get(String(h.headers['x-subject-token']))
    const exchange: Exchange = {
      method: h.method, path, ...(sender !== undefined && { token: sender }), ...(subject !== undefined && { subject }), ...(Object.keys(headers).length > 0 && { headers }),
      ...(h.body !== '' && { body: body === undefined ? `bytes:${h.body.length}` : clean(body) }), status: h.status,
    }
    if (answer !== undefined) {
      const fields = fieldsOf(answer)
      if (fields.length > 0) exchange.fields = fields.map(swap).sort()
    }
    const last = exchanges.at(-1)
    const polled = last !== undefined && h.method === 'GET' && last.method === 'GET' && last.path === path
    if (polled) exchanges.pop()
    const state = answer && typeof answer === 'object' ? leaves(answer).find((l) => /^servers?$/.test(String(l.at[0])) && l.at.at(-1) === 'status') : undefined
    if (state && h.method === 'GET' && !/[?&]status=/.test(path)) exchange.until = { at: wayTo(answer!, state.at), is: String(state.value) }
    exchanges.push(exchange)
    if (h.issued !== null && h.method === 'POST') tokens.set(h.issued, exchanges.length - 1)
    // What was asked with a value of ours is not learnt from the answer that repeats it.
    if (answer !== undefined && h.status < 300) {
      for (const leaf of leaves(answer)) {
        if (typeof leaf.value === 'string' && idLike.test(leaf.value) && !learnt.has(leaf.value) && !h.body.includes(leaf.value) && !/^(0\.0\.0\.0|127\.)/.test(leaf.value)) learnt.set(leaf.value, `\${${wayTo(answer, leaf.at)}#${exchanges.length - 1}}`)
      }
    }
  }
  return exchanges
}
