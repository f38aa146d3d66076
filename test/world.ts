// The personas of the access tests on a whole cloud: what tries every operation over HTTP with real tokens.
import type { Answer, Call } from '#kit/http/client.ts'
import type { AccessWorld, AnyPersona } from '#kit/testing/access.ts'
import { requestOf } from '#kit/testing/call.ts'
import { makePersonas } from '#kit/testing/personas.ts'
import { worldOf } from '#kit/testing/run-access.ts'
import { quotaResources } from '#services/network/deps.ts'
import type { TestCloud } from './cloud.ts'

export interface CloudWorld {
  api: { call<T = any>(token: string | undefined, service: string, operation: string, call?: Call): Promise<Answer<T>> }
  world: AccessWorld
  token(persona: AnyPersona): string | undefined
}

/** Much room: what every persona makes of everything fits into it. */
export const roomy = { fake: { vcpus: 100_000, memoryMib: 100_000_000, diskGib: 1_000_000 } }

/** Makes the personas on a cloud, their quotas lifted. */
export async function cloudWorld(cloud: TestCloud): Promise<CloudWorld> {
  const api: CloudWorld['api'] = {
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
  const adminToken = await cloud.login('admin')
  const admin = async (service: string, operation: string, call: object): Promise<any> => {
    const reply = await api.call(adminToken, service, operation, call)
    if (reply.status >= 300) throw new Error(`${operation} answered ${reply.status} ${JSON.stringify(reply.body)}`)
    return reply.body
  }
  const made = await makePersonas({
    scoped: true, admin: (operation, call) => admin('identity', operation, call), roleIds: cloud.seeded.roleIds,
    login: async (id, password, scope) => (await api.call(undefined, 'identity', 'issueToken', { body: { auth: { identity: { methods: ['password'], password: { user: { id, password } } }, scope } } })).headers['x-subject-token'] as string,
  })
  made.tokens.set('admin', adminToken)
  made.users.set('admin', cloud.seeded.adminUserId)
  const quota = Object.fromEntries(quotaResources.map((resource) => [resource, -1]))
  for (const project_id of [cloud.seeded.adminProjectId, made.projectId, made.otherProjectId]) await admin('network', 'updateQuotas', { params: { project_id }, body: { quota } })
  const token = (persona: AnyPersona): string | undefined => made.tokens.get(persona)
  return { api, token, world: worldOf(api, { token, userId: (persona) => made.users.get(persona) ?? 'nobody', projectId: made.projectId, otherProjectId: made.otherProjectId, otherDomainId: made.otherDomainId }) }
}
