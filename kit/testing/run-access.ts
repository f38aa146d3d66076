// Runs access cases of services that were started alone: the same cases run once more on the whole cloud.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { personas, type AccessCase, type AccessWorld, type Persona } from './access.ts'
import { testOtherProjectId, testProjectId, type TestApi } from './api.ts'

let names = 0

/** A world over a started api. Tokens are the personas' names unless said otherwise. */
export function worldOf(api: Pick<TestApi, 'call'>, over: { token?: (persona: Persona) => string | undefined, userId: (persona: Persona) => string, projectId?: string, otherProjectId?: string }): AccessWorld {
  const token = over.token ?? ((persona) => (persona === 'nobody' ? undefined : persona))
  return {
    projectId: over.projectId ?? testProjectId, otherProjectId: over.otherProjectId ?? testOtherProjectId, domainId: 'default', userId: over.userId,
    async call(as, service, operation, call) {
      const answer = await api.call<any>(token(as), service, operation, call)
      if (answer.status >= 300) throw new Error(`the fixture ${operation} as ${as} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
      return answer
    },
    unique: (prefix) => `${prefix}-${++names}-${process.pid}`,
  }
}

/** One test a case and persona. `started` is asked when the tests run, so that a `before` hook may start the api. */
export function runAccess(service: string, operations: string[], cases: AccessCase[], started: () => { api: Pick<TestApi, 'call'>, world: AccessWorld, token?: (persona: Persona) => string | undefined }): void {
  test(`${service}: every operation says who may use it`, () => {
    const known = new Set(cases.map((c) => c.operation))
    assert.deepEqual(operations.filter((name) => !known.has(name)), [], 'operations without an access case')
    assert.deepEqual([...known].filter((name) => !operations.includes(name)), [], 'access cases of operations that do not exist')
  })
  for (const one of cases) {
    test(`${service}: who may ${one.operation}${one.about ? `, ${one.about}` : ''}`, async () => {
      const { api, world, token = (persona: Persona) => (persona === 'nobody' ? undefined : persona) } = started()
      const seen: Partial<Record<Persona, number>> = {}
      let words = ''
      // Side by side: most of the time is waiting for what the fixtures make.
      await Promise.all(personas.map(async (persona) => {
        const answer = await api.call<any>(token(persona), service, one.operation, await one.request?.(world))
        seen[persona] = answer.status
        if (answer.status !== one.expect[persona]) words += `\n${persona}: ${answer.status} ${JSON.stringify(answer.body)}`
      }))
      assert.deepEqual(seen, one.expect, `${one.operation}${words}`)
    })
  }
}
