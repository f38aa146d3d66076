// Runs access cases of services that were started alone: the same cases run once more on the whole cloud.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#kit/http/client.ts'
import type { ServiceModule } from '#kit/service.ts'
import { personas, scopedPersonas, scopedVerdict, type AccessCase, type AccessWorld, type AnyPersona } from './access.ts'
import { testOtherDomainId, testOtherProjectId, testProjectId, type TestApi } from './api.ts'

let names = 0
type TokenOf = (persona: AnyPersona) => string | undefined
const nameIsToken: TokenOf = (persona) => (persona === 'nobody' ? undefined : persona)

/** A world over a started api. Tokens are the personas' names unless said otherwise. */
export function worldOf(
  api: Pick<TestApi, 'call'>,
  over: { token?: TokenOf, userId: (persona: AnyPersona) => string, projectId?: string, otherProjectId?: string, otherDomainId?: string },
): AccessWorld {
  const token = over.token ?? nameIsToken
  return {
    projectId: over.projectId ?? testProjectId, otherProjectId: over.otherProjectId ?? testOtherProjectId, domainId: 'default',
    otherDomainId: over.otherDomainId ?? testOtherDomainId, userId: over.userId,
    async call(as, service, operation, call) {
      const answer = await api.call<any>(token(as), service, operation, call)
      if (answer.status >= 300) throw new Error(`the fixture ${operation} as ${as} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
      return answer
    },
    unique: (prefix) => `${prefix}-${++names}-${process.pid}`,
  }
}

/** One test a case. `started` is asked when the tests run, so that a `before` hook may start the api. */
export function runAccess(
  { name: service, operations, tokens }: Pick<ServiceModule<any>['http'], 'name' | 'operations' | 'tokens'>, cases: AccessCase[],
  started: () => { api: Pick<TestApi, 'call'>, world: AccessWorld, token?: TokenOf },
): void {
  // A service for project tokens says so once; one that knows all scopes says of each operation what they see.
  const stated = tokens !== 'project', unstated: string[] = []
  test(`${service}: every operation says who may use it`, () => {
    const known = new Set(cases.map((c) => c.operation)), names = operations.map((op) => op.name)
    assert.deepEqual(names.filter((name) => !known.has(name)), [], 'operations without an access case')
    assert.deepEqual([...known].filter((name) => !names.includes(name)), [], 'access cases of operations that do not exist')
  })
  for (const one of cases) {
    const about = `${one.operation}${one.about ? `, ${one.about}` : ''}`
    const silent = stated && one.expect.nobody === 401 ? scopedPersonas.filter((p) => one.expect[p] === undefined) : []
    const expect: Partial<Record<AnyPersona, number>> = { ...scopedVerdict(one.expect, operations.find((op) => op.name === one.operation)?.internal), ...one.expect }
    for (const persona of silent) delete expect[persona]
    test(`${service}: who may ${about}`, async () => {
      const { api, world, token = nameIsToken } = started()
      const seen: Partial<Record<AnyPersona, number>> = {}
      let words = '', refused: Promise<Call | undefined> | undefined
      const make = async (): Promise<Call | undefined> => one.request?.(world)
      // Whoever is to be refused changes nothing: for all of them one thing is made (a stream is read by one only). The others get one each.
      const requestOf = async (persona: AnyPersona): Promise<Call | undefined> => {
        if ((expect[persona] ?? 0) < 400) return make()
        const first = refused === undefined, call = await (refused ??= make())
        return first || call?.stream === undefined ? call : make()
      }
      const tryAs = async (persona: AnyPersona): Promise<number> => {
        const call = async () => api.call<any>(token(persona), service, one.operation, await requestOf(persona))
        let answer = await call()
        // Personas who change one and the same thing may get into each other's way, as any two callers may.
        for (let again = 0; answer.status === 409 && expect[persona] !== 409 && again < personas.length; again++) answer = await call()
        if (persona in expect && answer.status !== expect[persona]) words += `\n${persona}: ${answer.status} ${JSON.stringify(answer.body)}`
        return answer.status
      }
      // Side by side: most of the time is waiting for what the fixtures make.
      await Promise.all(personas.map(async (persona) => { seen[persona] = await tryAs(persona) }))
      if (silent.length > 0) unstated.push(`${about}: ${silent.map((p) => `${p}: ${seen[p]}`).join(', ')}`)
      for (const persona of silent) delete seen[persona]
      assert.deepEqual(seen, expect, `${one.operation}${words}`)
    })
  }
  if (stated) test(`${service}: every case says what tokens for a domain and for the system see`, () => {
    if (unstated.length > 0) throw new Error(`not said, and what is seen (take a verdict of testing/verdicts.ts, or spread its scoped part):\n${unstated.join('\n')}`)
  })
}
