import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { anyone, authenticated } from '#kit/policy/rules.ts'
import { operationsOf } from '#kit/http/operation.ts'
import { exact, Type } from '#kit/http/schema.ts'
import type { ServiceModule } from '#kit/service.ts'
import { startApi, type TestApi } from './api.ts'
import { verdicts } from './access.ts'
import { runAccess, worldOf } from './run-access.ts'

const operation = operationsOf<{ word: string }>()
const echo: ServiceModule<{ word: string }> = {
  http: {
    name: 'echo', mount: '/echo', prefixes: ['/v1'], envelope: (fault) => ({ fault: fault.message }),
    operations: [
      operation({ name: 'sayWord', method: 'GET', path: '/words/{word_id}', summary: 'Says a word.', access: anyone, handle: async (_ctx, { params }, { word }) => ({ word, asked: params.word_id }) }),
      operation({ name: 'tellSelf', method: 'POST', path: '/self', summary: 'Tells who calls.', access: authenticated, body: exact({ text: Type.String() }), handle: async (ctx, { body }) => ({ who: ctx.actor.userName, text: body.text }) }),
    ],
  },
  migrations: [],
  access: async () => [
    { operation: 'sayWord', request: () => ({ params: { word_id: 'a b' } }), expect: verdicts.everybody() },
    { operation: 'tellSelf', request: () => ({ body: { text: 'x' } }), expect: verdicts.authenticated() },
  ],
}

let api: TestApi
before(async () => { api = await startApi({ services: [{ module: echo, deps: () => ({ word: 'hello' }) }] }) })
after(() => api.close())

test('a started service answers over HTTP and by operation name', async () => {
  assert.deepEqual((await api.http('GET', '/echo/v1/words/1')).body, { word: 'hello', asked: '1' })
  assert.deepEqual((await api.call('member', 'echo', 'tellSelf', { body: { text: 'x' } })).body, { who: 'member', text: 'x' })
  assert.equal((await api.call('nonsense', 'echo', 'tellSelf', { body: { text: 'x' } })).status, 401)
})

runAccess(echo.http, await echo.access(), () => ({ api, world: worldOf(api, { userId: () => 'u' }) }))
