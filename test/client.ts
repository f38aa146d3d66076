// A client of a running cloud, whoever runs it: this process or another.
import { waitFor } from '#base/retry.ts'

export interface Reply<T = any> { status: number, headers: Headers, body: T }

export interface CloudClient {
  /** A token's text for a user of the seed. */
  login(user?: 'demo' | 'admin', project?: string): Promise<string>
  /** A request over HTTP; the body is JSON. */
  http<T = any>(token: string | undefined, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply<T>>
  /** The id of the seeded image. */
  imageId: string
  networkId: string
  /** Asks for a server and answers its id at once. */
  boot(token: string, over?: Record<string, unknown>): Promise<string>
  /** Waits until a server's status is one of these; answers it whole. */
  settled(token: string, id: string, ...statuses: string[]): Promise<any>
  /** Waits until the server is not there any more. */
  gone(token: string, id: string): Promise<void>
}

/** How long a server may take to come to rest, brokers that start anew included. */
const patienceMs = 60_000

/** Logs in once, to learn what was seeded. */
export async function cloudClient(url: string, passwords: { admin: string, demo: string }): Promise<CloudClient> {
  const http = async <T = any>(token: string | undefined, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply<T>> => {
    const response = await fetch(url + path, {
      method, headers: { ...(token && { 'x-auth-token': token }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers }, ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: (text === '' ? undefined : response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text) as T }
  }
  const login = async (user: 'demo' | 'admin' = 'demo', project: string = user): Promise<string> => {
    const reply = await http(undefined, 'POST', '/identity/v3/auth/tokens', { auth: {
      identity: { methods: ['password'], password: { user: { name: user, domain: { id: 'default' }, password: passwords[user] } } }, scope: { project: { name: project, domain: { id: 'default' } } },
    } })
    if (reply.status !== 201) throw new Error(`login answered ${reply.status} ${JSON.stringify(reply.body)}`)
    return reply.headers.get('x-subject-token')!
  }
  const token = await login()
  const imageId = (await http(token, 'GET', '/image/v2/images')).body.images[0].id as string
  const networkId = (await http(token, 'GET', '/network/v2.0/networks?name=private')).body.networks[0].id as string
  const show = (as: string, id: string): Promise<Reply> => http(as, 'GET', `/compute/v2.1/servers/${id}`)
  return {
    http, login, imageId, networkId,
    async boot(as, over = {}) {
      const reply = await http(as, 'POST', '/compute/v2.1/servers', { server: { name: 'a', imageRef: imageId, flavorRef: '1', networks: [{ uuid: networkId }], ...over } })
      if (reply.status !== 202) throw new Error(`POST /servers answered ${reply.status} ${JSON.stringify(reply.body)}`)
      return reply.body.server.id as string
    },
    async settled(as, id, ...statuses) {
      let last: Reply | undefined
      return waitFor(`server ${id} to be ${statuses.join(' or ')}`, async () => {
        last = await show(as, id)
        if (last.status !== 200) throw new Error(`GET server answered ${last.status}`)
        return statuses.includes(last.body.server.status) && last.body.server['OS-EXT-STS:task_state'] === null ? last.body.server : undefined
      }, patienceMs, 10).catch((error: Error) => { throw new Error(`${error.message}; it is ${last?.body.server?.status}/${last?.body.server?.['OS-EXT-STS:task_state']}`, { cause: error }) })
    },
    gone: async (as, id) => { await waitFor(`server ${id} to be gone`, async () => ((await show(as, id)).status === 404 ? true : undefined), patienceMs, 10) },
  }
}
