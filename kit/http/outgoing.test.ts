// The guard of outgoing requests: every way known of writing an address that must not be reached, names that change their address, redirects, and bounds.
import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { isFault } from '#base/errors.ts'
import { checkUrl, defaultOutgoing, fetchOutgoing, mayReach, type OutgoingRules } from './outgoing.ts'

const bounds = { maxBytes: 1000, maxMs: 20_000, patienceMs: 5000 }
const closing: (() => void)[] = []
after(() => { for (const close of closing) close() })

async function site(handler: RequestListener): Promise<{ port: number, seen: string[] }> {
  const seen: string[] = []
  const server = createServer((req, res) => { seen.push(`${req.headers.host}${req.url}`); handler(req, res) })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  closing.push(() => { server.close(); server.closeAllConnections() })
  return { port: (server.address() as AddressInfo).port, seen }
}
/** The loopback is allowed by an explicit word, as an administrator would give it; any port. */
const local = (over: Partial<OutgoingRules> = {}): OutgoingRules => ({ ...defaultOutgoing, ports: { allow: [], deny: [] }, networks: { allow: ['127.0.0.1/32'], deny: [] }, ...over })
const open: OutgoingRules = { ...defaultOutgoing, ownAddresses: () => ['198.41.0.4'] }
const refused = (work: () => unknown): Promise<void> => assert.rejects(async () => { await work() }, (error) => isFault(error, 'badRequest'))

test('addresses of the internet are reached, all others are not', () => {
  for (const address of ['93.184.216.34', '8.8.8.8', '2606:2800:220:1::1', '2001:4860:4860::8888']) assert.equal(mayReach(address, open), true, address)
  for (const address of [
    '127.0.0.1', '127.9.9.9', '0.0.0.0', '0.1.2.3', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255', '192.0.0.1', '192.0.2.1',
    '198.18.0.1', '198.51.100.1', '203.0.113.1', '::', '::1', 'fe80::1', 'fec0::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1',
    '64:ff9b:1::a00:1', '2002:7f00:1::', '2001::1', '2001:db8::1', '100::1', '198.41.0.4', '::ffff:198.41.0.4', 'localhost', '', '127.1', '2130706433',
  ]) assert.equal(mayReach(address, open), false, address)
  assert.equal(mayReach('::ffff:8.8.8.8', open), true)
})

test('networks are allowed and denied by name', () => {
  const rules = { networks: { allow: ['10.1.0.0/16', 'fd00::/8'], deny: ['8.8.0.0/16', '10.1.2.0/24'] } }
  for (const [address, may] of [['10.1.0.1', true], ['10.2.0.1', false], ['8.8.8.8', false], ['8.9.8.8', true], ['10.1.2.3', false], ['fd00::1', true], ['::ffff:10.1.0.1', true]] as const) assert.equal(mayReach(address, rules), may, address)
})

test('urls that hide where they lead are refused', async () => {
  for (const url of [
    'http://127.0.0.1/', 'http://127.1/', 'http://2130706433/', 'http://0x7f000001/', 'http://0177.0.0.1/', 'http://0x7f.0.0.0x1/', 'http://017700000001/', 'http://0/', 'http://①②⑦.⓪.⓪.①/', 'http://127.0.0.1./',
    'http://[::1]/', 'http://[::]/', 'http://[::ffff:127.0.0.1]/', 'http://[::ffff:7f00:1]/', 'http://[0:0:0:0:0:ffff:169.254.169.254]/', 'http://[64:ff9b::10.0.0.1]/', 'http://[fe80::1%25eth0]/', 'http://169.254.169.254/latest/meta-data',
    'http://user@example.org/', 'http://user:pass@example.org/', 'http://example.org@127.0.0.1/', 'http://@example.org/', 'http://:@example.org/', 'http://example.org\\@127.0.0.1/', 'http://exa mple.org/', 'http://example.org/\r\nHost: x', 'http://example.org\t/',
    'file:///etc/passwd', 'ftp://example.org/', 'gopher://example.org/', 'data:text/plain,x', 'javascript:1', 'http:', 'http://', '//example.org/', '', 'example.org', `http://example.org/${'a'.repeat(5000)}`,
    'http://example.org:22/', 'http://example.org:8080/', 'https://example.org:65535/', 'http://example.org:99999/',
  ]) await refused(() => checkUrl(url, open))
  for (const url of ['http://example.org/a?b=c', 'https://example.org:443/', 'http://8.8.8.8/', 'http://[2606:4700::1]/x', 'https://EXAMPLE.org/@x']) assert.ok(checkUrl(url, open), url)
})

test('hosts, schemes and ports are allowed and denied', async () => {
  const rules: OutgoingRules = { ...open, schemes: { allow: ['https'], deny: [] }, hosts: { allow: ['images.example.org', '*.trusted.org'], deny: ['bad.trusted.org'] }, ports: { allow: [], deny: [8443] } }
  for (const url of ['https://images.example.org/', 'https://IMAGES.example.org./x', 'https://a.trusted.org:5000/', 'https://a.b.trusted.org/']) assert.ok(checkUrl(url, rules), url)
  for (const url of ['http://images.example.org/', 'https://example.org/', 'https://ximages.example.org/', 'https://trusted.org/', 'https://eviltrusted.org/', 'https://bad.trusted.org/', 'https://bad.trusted.org./', 'https://a.trusted.org:8443/']) await refused(() => checkUrl(url, rules))
})

test('what a URL names is fetched, with the name it was asked by', async () => {
  const { port, seen } = await site((_req, res) => res.end('hello'))
  const { bytes, size } = await fetchOutgoing(`http://images.example.org:${port}/a?b=c`, local({ resolve: async () => ['127.0.0.1'] }), bounds)
  assert.equal((await buffer(bytes)).toString(), 'hello')
  assert.equal(size, 5)
  assert.deepEqual(seen, [`images.example.org:${port}/a?b=c`])
})

test('the loopback is not reached unless it is allowed, neither by address nor by name', async () => {
  const { port, seen } = await site((_req, res) => res.end('secret'))
  const closed = local({ networks: { allow: [], deny: [] } })
  await refused(() => fetchOutgoing(`http://127.0.0.1:${port}/`, closed, bounds))
  await refused(() => fetchOutgoing(`http://localhost:${port}/`, closed, bounds))
  for (const answer of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['::1'], ['::ffff:127.0.0.1'], [], ['nonsense']]) await refused(() => fetchOutgoing(`http://evil.example.org:${port}/`, { ...closed, resolve: async () => answer }, bounds))
  assert.deepEqual(seen, [])
})

test('a name that changes its address after it was checked gains nothing: it is resolved once', async () => {
  const { port, seen } = await site((_req, res) => res.end('x'))
  let asked = 0
  const resolve = async (): Promise<string[]> => [asked++ === 0 ? '127.0.0.1' : '10.0.0.1']
  await buffer((await fetchOutgoing(`http://rebind.example.org:${port}/`, local({ resolve }), bounds)).bytes)
  assert.equal(asked, 1)
  assert.equal(seen.length, 1)
})

test('redirects are checked like the first URL, and are few', async () => {
  let to = ''
  const inner = await site((_req, res) => res.end('inner'))
  const { port, seen } = await site((req, res) => req.url === '/end' ? void res.end('end') : void res.writeHead(302, { location: to }).end())
  const rules = local({ resolve: async (host) => host === 'good.example.org' ? ['127.0.0.1'] : ['10.0.0.1'] }), start = `http://good.example.org:${port}/`
  to = '/end'
  assert.equal((await buffer((await fetchOutgoing(start, rules, bounds)).bytes)).toString(), 'end')
  for (to of ['http://internal.example.org/', `http://localhost:${inner.port}/`, 'http://[::1]/', 'http://169.254.169.254/', 'file:///etc/passwd', 'http://user@good.example.org/', '/loop', 'http://']) await refused(() => fetchOutgoing(start, rules, bounds))
  to = '/end'
  await assert.rejects(fetchOutgoing(start, { ...rules, redirects: 0 }, bounds), /not followed/)
  assert.equal(inner.seen.length, 0)
  assert.ok(seen.length < 25)
})

test('sizes and times are bounded, and a broken answer is not taken for a whole one', async () => {
  const { port } = await site((req, res) => {
    if (req.url === '/announced') return void res.writeHead(200, { 'content-length': '2000' }).write('x')
    if (req.url === '/endless') {
      // By way of the event loop: who writes on at once keeps the reader, who is of the same process, from ever hearing of it.
      const more = (): void => { if (!res.destroyed) res.write(Buffer.alloc(400), () => setImmediate(more)) }
      return more()
    }
    if (req.url === '/broken') { res.writeHead(200, { 'content-length': '100' }); return void res.write('half', () => res.destroy()) }
    if (req.url === '/zipped') return void res.writeHead(200, { 'content-encoding': 'gzip' }).end('x')
    if (req.url === '/missing') return void res.writeHead(404).end()
    // /silent says nothing at all
  })
  const get = async (path: string, over: Partial<typeof bounds> = {}, signal?: AbortSignal): Promise<Buffer> => buffer((await fetchOutgoing(`http://127.0.0.1:${port}${path}`, local(), { ...bounds, ...over }, signal)).bytes)
  await assert.rejects(get('/announced'), (error) => isFault(error, 'tooLarge'))
  await assert.rejects(get('/endless'), (error) => isFault(error, 'tooLarge'))
  await assert.rejects(get('/broken'), (error) => isFault(error, 'badRequest'))
  await assert.rejects(get('/zipped'), /encoding/)
  await assert.rejects(get('/missing'), /status 404/)
  await assert.rejects(get('/silent', { patienceMs: 50 }), (error) => isFault(error, 'badRequest'))
  await assert.rejects(get('/silent', { maxMs: 50 }), /longer than/)
  const stop = new AbortController()
  setImmediate(() => stop.abort())
  await assert.rejects(get('/silent', {}, stop.signal), (error) => isFault(error, 'badRequest'))
})
