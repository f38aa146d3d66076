// Placement alone over real HTTP, and stories told as tables: a line a request, with what must come back.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { personaActors, startApi, type HttpReply, type TestApi } from '#kit/testing/api.ts'
import { placementDeps } from './deps.ts'
import { placement } from './service.ts'

/** Personas are tokens, and so is `nova`: a user with the role of services. */
export const startPlacement = (quiet = false): Promise<TestApi> => startApi({
  services: [{ module: placement, deps: ({ store }) => placementDeps(store.as()) }], quiet,
  actors: { ...personaActors(), nova: { userId: 'nova', userName: 'nova', projectId: 'services', roles: ['service'] } },
})

export interface Step {
  /** Method and path, the mount left out: `PUT /resource_providers/…`. */
  ask: string
  /** The microversion; none: no header at all. */
  at?: string
  body?: unknown
  token?: string
  headers?: Record<string, string>
  status: number
  /** Parts of the body that must be so: a value, or a pattern for the body's text. */
  has?: object | RegExp
  /** The error's code. */
  code?: string
  reply?(reply: HttpReply): void
}

export const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

export async function play(api: TestApi, { ask, at, body, token = 'admin', headers, status, has, code, reply }: Step): Promise<HttpReply> {
  const [method, path] = ask.split(' ') as [string, string], said = `${ask}${at ? ` at ${at}` : ''}`
  const answer = await api.http(method, `/placement${path}`, { token, body, headers: { ...(at && { 'openstack-api-version': `placement ${at}` }), ...headers } })
  const text = answer.bytes.toString()
  assert.equal(answer.status, status, `${said}: ${text}`)
  assert.match(answer.headers.get('vary') ?? '', /openstack-api-version/i, said)
  if (has instanceof RegExp) assert.match(text, has, said)
  else if (has) assert.partialDeepStrictEqual(answer.body, has, `${said}: ${text}`)
  if (code) assert.equal(answer.body.errors[0].code, code, said)
  if (status === 204) assert.equal(text, '', said)
  reply?.(answer)
  return answer
}

/** Each story has a placement of its own, and is played from its beginning to its end. */
export function stories(all: Record<string, Step[]>): void {
  for (const [name, steps] of Object.entries(all)) {
    describe(name, () => {
      let api: TestApi
      before(async () => { api = await startPlacement() })
      after(() => api.close())
      test('is told', async () => { for (const step of steps) await play(api, step) })
    })
  }
}
