// Every operation of every service, tried over HTTP on a whole cloud by users with real tokens. What each should see lies beside the operation, in
// its noun's access.ts; an operation without it fails.
import { after, before } from 'node:test'
import { quotaResources } from '#services/network/deps.ts'
import { services } from '#services/index.ts'
import type { AccessWorld, Persona } from '#kit/testing/access.ts'
import type { TestApi } from '#kit/testing/api.ts'
import { requestOf } from '#kit/testing/call.ts'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { testCloud, type TestCloud } from './cloud.ts'

let cloud: TestCloud, world: AccessWorld
const tokens = new Map<Persona, string>(), users = new Map<Persona, string>()
const token = (persona: Persona): string | undefined => tokens.get(persona)

const api: Pick<TestApi, 'call'> = {
  async call<T>(as: string | undefined, service: string, operation: string, call = {}) {
    const { method, path, headers, body } = await requestOf(cloud.mounted.get(service)!.service, operation, call)
    const raw = body === undefined || Buffer.isBuffer(body)
    const reply = await fetch(cloud.url + path, {
      method, redirect: 'manual', headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...(as !== undefined && { 'x-auth-token': as }), ...headers },
      ...(body !== undefined && { body: raw ? body as never : JSON.stringify(body) }),
    })
    const bytes = Buffer.from(await reply.arrayBuffer())
    const json = bytes.length > 0 && reply.headers.get('content-type')?.includes('json')
    return { status: reply.status, headers: Object.fromEntries(reply.headers), body: (json ? JSON.parse(bytes.toString()) : bytes.length > 0 ? bytes : undefined) as T }
  },
}

before(async () => {
  cloud = await testCloud({ fake: { vcpus: 100_000, memoryMib: 100_000_000, diskGib: 1_000_000 } })
  tokens.set('admin', await cloud.login('admin'))
  users.set('admin', cloud.seeded.adminUserId)
  const admin = async (method: string, path: string, body?: unknown): Promise<any> => {
    const reply = await cloud.http(tokens.get('admin'), method, path, body)
    if (reply.status >= 300) throw new Error(`${method} ${path} answered ${reply.status} ${JSON.stringify(reply.body)}`)
    return reply.body
  }
  const quota = Object.fromEntries(quotaResources.map((resource) => [resource, -1]))
  const project = async (name: string): Promise<string> => {
    const id: string = (await admin('POST', '/identity/v3/projects', { project: { name } })).project.id
    await admin('PUT', `/network/v2.0/quotas/${id}`, { quota })
    return id
  }
  await admin('PUT', `/network/v2.0/quotas/${cloud.seeded.adminProjectId}`, { quota })
  const projectId = await project('ours'), otherProjectId = await project('theirs')
  for (const [persona, role, home] of [['reader', 'reader', projectId], ['member', 'member', projectId], ['manager', 'manager', projectId], ['other', 'member', otherProjectId]] as const) {
    const { user } = await admin('POST', '/identity/v3/users', { user: { name: persona, password: `${persona}-pass` } })
    await admin('PUT', `/identity/v3/projects/${home}/users/${user.id}/roles/${cloud.seeded.roleIds[role]}`)
    const login = await cloud.http(undefined, 'POST', '/identity/v3/auth/tokens', { auth: { identity: { methods: ['password'], password: { user: { id: user.id, password: `${persona}-pass` } } }, scope: { project: { id: home } } } })
    users.set(persona, user.id)
    tokens.set(persona, login.headers.get('x-subject-token')!)
  }
  world = worldOf(api, { token, userId: (persona) => users.get(persona) ?? 'nobody', projectId, otherProjectId })
})
after(() => cloud?.close())

for (const { http, access } of services) runAccess(http.name, http.operations.map((op) => op.name), await access(), () => ({ api, world, token }))
