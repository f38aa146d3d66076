// Every operation of every service, tried over HTTP on a whole cloud by users with real tokens. What each should see lies beside the operation, in
// its noun's access.ts; an operation without it fails.
import { after, before } from 'node:test'
import { quotaResources } from '#services/network/deps.ts'
import { services } from '#services/index.ts'
import type { AccessWorld, AnyPersona } from '#kit/testing/access.ts'
import type { TestApi } from '#kit/testing/api.ts'
import { requestOf } from '#kit/testing/call.ts'
import { makePersonas, type PersonaUsers } from '#kit/testing/personas.ts'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { testCloud, type TestCloud } from './cloud.ts'

let cloud: TestCloud, world: AccessWorld, made: PersonaUsers
const token = (persona: AnyPersona): string | undefined => made.tokens.get(persona)

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
  const adminToken = await cloud.login('admin')
  const admin = async (service: string, operation: string, call: object): Promise<any> => {
    const reply = await api.call(adminToken, service, operation, call)
    if (reply.status >= 300) throw new Error(`${operation} answered ${reply.status} ${JSON.stringify(reply.body)}`)
    return reply.body
  }
  made = await makePersonas({
    scoped: true,
    admin: (operation, call) => admin('identity', operation, call), roleIds: cloud.seeded.roleIds,
    login: async (id, password, scope) => (await api.call(undefined, 'identity', 'issueToken', { body: { auth: { identity: { methods: ['password'], password: { user: { id, password } } }, scope } } })).headers['x-subject-token'] as string,
  })
  made.tokens.set('admin', adminToken)
  made.users.set('admin', cloud.seeded.adminUserId)
  const quota = Object.fromEntries(quotaResources.map((resource) => [resource, -1]))
  for (const project_id of [cloud.seeded.adminProjectId, made.projectId, made.otherProjectId]) await admin('network', 'updateQuotas', { params: { project_id }, body: { quota } })
  world = worldOf(api, { token, userId: (persona) => made.users.get(persona) ?? 'nobody', projectId: made.projectId, otherProjectId: made.otherProjectId, otherDomainId: made.otherDomainId })
})
after(() => cloud?.close())

for (const { http, access } of services) runAccess(http, await access(), () => ({ api, world, token }))
