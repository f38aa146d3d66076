// Requests that the cloud makes to an address a stranger chose. Left alone they would reach what only this machine reaches: its own services, its neighbours, a metadata
// service. So the URL is checked before anything is asked, the name is resolved once, every address it has is checked, and the connection is made to the very address that was
// checked: a name that answers differently the next time (DNS rebinding) gains nothing. Each redirect begins anew. Sizes and times are bounded.
import { lookup } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Readable } from 'node:stream'
import ipaddr from 'ipaddr.js'
import { badRequest, Fault, isFault, tooLarge } from '#base/errors.ts'
import { parseAddress, type Address } from './address.ts'

/** Nothing in `allow` means everything; what stands in `deny` is refused even when allowed. */
export interface Lists<T> { allow: readonly T[], deny: readonly T[] }

/** Where URLs that users name may lead. */
export interface OutgoingRules {
  /** `http` and `https` are all there are. */
  schemes: Lists<string>
  /** Names and addresses as they stand in the URL; `*.example.org` means all names below. */
  hosts: Lists<string>
  ports: Lists<number>
  /** Networks in CIDR notation. What is allowed here is reached although it is private or the loopback: an administrator's explicit word. */
  networks: Lists<string>
  /** So many redirects are followed, each checked like the first URL; never from https to http. */
  redirects: number
  /** How names become addresses; the system's resolver if absent. */
  resolve?: (host: string) => Promise<string[]>
  /** This machine's own addresses, public ones too, are refused; asked of the system if absent. */
  ownAddresses?: () => string[]
}

/** How much, and how long, one fetch may cost. */
export interface OutgoingBounds {
  /** More bytes are a tooLarge Fault as soon as they are announced or have come. */
  maxBytes: number
  /** From the first word to the last byte. */
  maxMs: number
  /** The connection must stand, and the next bytes must come, within this. */
  patienceMs: number
}

/** The web, and nothing that is private. */
export const defaultOutgoing: OutgoingRules = {
  schemes: { allow: ['http', 'https'], deny: [] }, hosts: { allow: [], deny: [] }, ports: { allow: [80, 443], deny: [] }, networks: { allow: [], deny: [] }, redirects: 3,
}

export interface Fetched { /** What the far side announced; undefined when it did not. */ size: number | undefined, bytes: Readable }

/** Whether this is how rules name a network: an address and how many bits of it count. */
export const isNetwork = (text: string): boolean => ipaddr.isValidCIDR(text)

const within = (address: Address, cidr: string): boolean => {
  const [network, bits] = ipaddr.parseCIDR(cidr)
  return network.kind() === address.kind() && address.match(network, bits)
}

/** Addresses of everybody's internet. Whatever else there is (private, loopback, link-local, embedding, reserved) is refused by not being one of these. */
const isPublic = (address: Address): boolean => address.range() === 'unicast' && (address.kind() === 'ipv4' || within(address, '2000::/3'))

const systemAddresses = (): string[] => Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((a) => a.address.split('%')[0]!))

/** May a connection go to this address? */
export function mayReach(text: string, { networks, ownAddresses = systemAddresses }: Pick<OutgoingRules, 'networks' | 'ownAddresses'>): boolean {
  const address = parseAddress(text)
  if (!address || networks.deny.some((cidr) => within(address, cidr))) return false
  if (networks.allow.some((cidr) => within(address, cidr))) return true
  return isPublic(address) && !ownAddresses().some((own) => parseAddress(own)?.toString() === address.toString())
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
const namedBy = (pattern: string, host: string): boolean => pattern.startsWith('*.') ? host.endsWith(pattern.slice(1).toLowerCase()) : pattern.toLowerCase() === host
const passes = <T>({ allow, deny }: Lists<T>, is: (entry: T) => boolean): boolean => (allow.length === 0 || allow.some(is)) && !deny.some(is)

/** Said of what is not allowed and of what cannot be found alike: nobody shall learn the names and neighbours of this machine by asking. */
const unreachable = (cause?: unknown): Error => badRequest('The host of the URL is not allowed, or it cannot be reached.', { type: 'HostNotAllowed', cause })

/** A URL that passes the rules as far as its text tells. Throws badRequest. */
export function checkUrl(text: string, rules: OutgoingRules): URL {
  // What WHATWG's parser would silently mend is what another parser reads otherwise.
  const url = text.length <= 4096 && !/[\s\\\p{Cc}]/u.test(text) ? URL.parse(text) : null
  if (!url) throw badRequest('The URL is not valid.')
  const scheme = url.protocol.slice(0, -1)
  if ((scheme !== 'http' && scheme !== 'https') || !passes(rules.schemes, (s) => s.toLowerCase() === scheme)) {
    throw badRequest(`URLs of the scheme '${scheme.slice(0, 20)}' are not allowed.`)
  }
  if (url.username !== '' || url.password !== '' || /^[^/]*:\/\/[^/?#]*@/.test(text)) throw badRequest('A URL with a user name or a password is not allowed.')
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port)
  if (!passes(rules.ports, (p) => p === port)) throw badRequest(`URLs with the port ${port} are not allowed.`)
  const host = hostOf(url)
  if (host === '' || !passes(rules.hosts, (pattern) => namedBy(pattern, host))) throw unreachable()
  if (isIP(host) !== 0 && !mayReach(host, rules)) throw unreachable()
  return url
}

const systemResolve = async (host: string): Promise<string[]> => (await lookup(host, { all: true, verbatim: true })).map((found) => found.address)

/** The system's resolver cannot be told to stop; when nobody waits any more its answer is left alone. */
const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => new Promise((resolve, reject) => {
  const end = (): void => reject(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end))
})

/** The addresses to connect to. One that is not allowed refuses them all: whoever mixes them means harm, or is broken. */
async function addressesOf(url: URL, rules: OutgoingRules, signal: AbortSignal): Promise<string[]> {
  const host = hostOf(url)
  const resolve = rules.resolve ?? systemResolve
  const found = isIP(host) !== 0 ? [host] : await unlessAborted(resolve(host), signal).catch((cause: unknown) => { throw signal.aborted ? cause : unreachable(cause) })
  if (found.length === 0 || !found.every((address) => mayReach(address, rules))) throw unreachable()
  return found.slice(0, 4)
}

function ask(url: URL, address: string, patienceMs: number, signal: AbortSignal, headers?: Record<string, string>): Promise<IncomingMessage> {
  const options: RequestOptions & { servername?: string } = {
    host: address, port: url.port === '' ? undefined : Number(url.port), path: url.pathname + url.search, method: 'GET',
    agent: false, signal, timeout: patienceMs, maxHeaderSize: 16_384,
    // The certificate is checked against the name that was asked for, not against the address.
    ...(isIP(hostOf(url)) === 0 && { servername: hostOf(url) }),
    headers: { ...headers, host: url.host, 'user-agent': 'pileus', accept: '*/*', 'accept-encoding': 'identity', connection: 'close' },
  }
  return new Promise((resolve, reject) => {
    const req = (url.protocol === 'https:' ? httpsRequest : httpRequest)(options, resolve)
    req.on('timeout', () => req.destroy(new Error('it is silent for too long')))
    req.on('error', reject)
    req.end()
  })
}

async function askAny(url: URL, rules: OutgoingRules, patienceMs: number, signal: AbortSignal, headers?: Record<string, string>): Promise<IncomingMessage> {
  let last: unknown
  for (const address of await addressesOf(url, rules, signal)) {
    try {
      return await ask(url, address, patienceMs, signal, headers)
    } catch (error) {
      if (signal.aborted) throw error
      last = error
    }
  }
  throw unreachable(last)
}

const redirects = new Set([301, 302, 303, 307, 308])

/**
 * Gets what a URL names. Throws badRequest for what the rules refuse, for failures of the far side and for an answer other than 200, tooLarge for too much;
 * the same may come while the bytes are read. `signal` ends it all. `sent` are headers that may hold secrets: they go to the host of the URL, and with them no
 * redirect is followed.
 */
export async function fetchOutgoing(text: string, rules: OutgoingRules, bounds: OutgoingBounds, signal?: AbortSignal, sent?: Record<string, string>): Promise<Fetched> {
  const mostRedirects = sent ? 0 : rules.redirects
  const over = AbortSignal.timeout(bounds.maxMs)
  const all = signal ? AbortSignal.any([over, signal]) : over
  const translated = (error: unknown): unknown => {
    if (isFault(error)) return error
    if (over.aborted) return badRequest(`Fetching the URL took longer than ${Math.round(bounds.maxMs / 1000)} s.`, { cause: error })
    return badRequest('Fetching the URL failed before its end.', { cause: error })
  }
  let url = checkUrl(text, rules)
  try {
    for (let followed = 0; ; followed++) {
      const reply = await askAny(url, rules, bounds.patienceMs, all, sent)
      const { statusCode = 0, headers } = reply
      if (statusCode === 200) {
        const size = sizeOf(reply, bounds.maxBytes)
        return { size, bytes: Readable.from(chunks(reply, bounds.maxBytes, translated), { objectMode: false, highWaterMark: 1024 ** 2 }) }
      }
      reply.destroy()
      if (!redirects.has(statusCode) || headers.location === undefined) throw badRequest(`The URL answered with status ${statusCode}.`)
      if (followed >= mostRedirects) {
        throw badRequest(mostRedirects === 0 ? 'The URL redirects elsewhere, which is not followed.' : `The URL redirects more than ${mostRedirects} times.`)
      }
      const next = checkUrl(URL.parse(headers.location, url.href)?.href ?? '', rules)
      if (url.protocol === 'https:' && next.protocol !== 'https:') throw badRequest('The URL redirects from https to http, which is not followed.')
      url = next
    }
  } catch (error) {
    throw translated(error)
  }
}

const tooMuch = (maxBytes: number): Fault => tooLarge(`The data behind the URL is larger than the ${maxBytes} bytes that are allowed.`)

/** The bytes announced, if they are. Throws for what is encoded or announced as too much, and closes the reply. */
function sizeOf(reply: IncomingMessage, maxBytes: number): number | undefined {
  const encoding = reply.headers['content-encoding']
  const length = reply.headers['content-length']
  const size = length === undefined ? undefined : Number(length)
  const refuse = (fault: Fault): never => {
    reply.destroy()
    throw fault
  }
  if (encoding !== undefined && encoding !== 'identity') return refuse(badRequest('The URL answers in a content encoding that was not asked for.'))
  if (size !== undefined && size > maxBytes) return refuse(tooMuch(maxBytes))
  return size
}

async function* chunks(reply: IncomingMessage, maxBytes: number, translated: (error: unknown) => unknown): AsyncGenerator<Buffer> {
  let size = 0
  try {
    for await (const chunk of reply as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) throw tooMuch(maxBytes)
      yield chunk
    }
  } catch (error) {
    throw translated(error)
  } finally {
    reply.destroy()
  }
}
