// A small OpenStack client over HTTP for our own commands: logs in, finds services in the catalogue, speaks JSON.
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { parse } from 'yaml'
import { Usage } from './usage.ts'

export interface ApiReply<T = any> { status: number, headers: Record<string, string | string[] | undefined>, body: T }

export interface Api {
  projectId: string
  /** `call('compute', 'GET', '/servers')`: the path stands below the service's endpoint. Throws a Usage for statuses from 400 on, but those in `allow`. */
  call<T = any>(service: string, method: string, path: string, body?: unknown, options?: { allow?: number[], version?: string }): Promise<ApiReply<T>>
}

interface CloudEntry { auth: { auth_url: string, username: string, password: string, project_name: string, user_domain_id: string, project_domain_id: string }, cacert?: string }

/** Logs in with an entry of a clouds.yaml. */
export async function login(cloudsYaml: string, name: string): Promise<Api> {
  const { clouds } = parse(await readFile(cloudsYaml, 'utf8')) as { clouds: Record<string, CloudEntry> }
  const { auth, cacert } = clouds[name]!
  const ca = cacert === undefined ? undefined : await readFile(cacert, 'utf8')
  const send = (url: string, method: string, headers: Record<string, string>, body?: unknown): Promise<ApiReply> => new Promise((resolve, reject) => {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const request = url.startsWith('https:') ? httpsRequest : httpRequest
    const req = request(url, { method, ...(ca !== undefined && { ca }), headers: { accept: 'application/json', ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }), ...headers }, timeout: 120_000 }, (res) => {
      text(res).then((answer) => {
        const json = /json/.test(res.headers['content-type'] ?? '') && answer !== ''
        resolve({ status: res.statusCode!, headers: res.headers, body: json ? JSON.parse(answer) as unknown : answer })
      }, reject)
    })
    req.on('timeout', () => req.destroy(new Error(`no answer from ${url}`)))
    req.on('error', (error) => reject(new Usage(`the API does not answer: ${error.message}`)))
    req.end(bytes)
  })

  const { username, password, project_name, user_domain_id, project_domain_id } = auth
  const issued = await send(`${auth.auth_url}/auth/tokens`, 'POST', {}, { auth: {
    identity: { methods: ['password'], password: { user: { name: username, domain: { id: user_domain_id }, password } } }, scope: { project: { name: project_name, domain: { id: project_domain_id } } },
  } })
  if (issued.status !== 201) throw new Usage(`the login as ${username} failed: ${messageOf(issued)}`)
  const token = String(issued.headers['x-subject-token'])
  const { project, catalog } = issued.body.token as { project: { id: string }, catalog: { type: string, endpoints: { interface: string, url: string }[] }[] }
  // glance's and neutron's endpoints are their roots; their clients add the version.
  const below: Record<string, string> = { image: '/v2', network: '/v2.0' }
  return {
    projectId: project.id,
    async call(service, method, path, body, { allow = [], version } = {}) {
      const root = catalog.find((c) => c.type === service)?.endpoints.find((e) => e.interface === 'public')?.url
      if (root === undefined) throw new Usage(`the catalogue has no ${service}`)
      const reply = await send(`${root}${below[service] ?? ''}${path}`, method, { 'x-auth-token': token, ...(version !== undefined && { 'openstack-api-version': `${service} ${version}` }) }, body)
      if (reply.status >= 400 && !allow.includes(reply.status)) throw new Usage(`${method} ${path} (${service}): ${reply.status} ${messageOf(reply)}`)
      return reply as ApiReply<never>
    },
  }
}

/** The words of a fault, whatever its envelope. */
function messageOf({ body }: ApiReply): string {
  const inner = typeof body === 'object' && body !== null ? Object.values(body as object)[0] as { message?: string } | undefined : undefined
  return inner?.message ?? JSON.stringify(body)
}
