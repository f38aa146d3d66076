import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { plainContext } from '#base/context.ts'
import { conflict, forbidden, notFound, unavailable } from '#base/errors.ts'
import { faultsOf } from '#kit/http/faults.ts'
import { noVersion, operationsOf, type Input } from '#kit/http/operation.ts'
import { perform, refusals, type Refusal } from '#kit/http/pipeline.ts'
import { exact, Type } from '#kit/http/schema.ts'
import { anyone, authenticated } from '#kit/policy/rules.ts'
import { notSaid } from './faults.ts'

const operation = operationsOf<object>(), handle = async (): Promise<void> => { throw conflict('taken') }
const plain = operation({ name: 'plain', method: 'GET', path: '/plain', summary: 'Open to all.', access: anyone, handle })
const rich = operation({
  name: 'rich', method: 'PUT', path: '/rich/{id}', summary: 'All there is.', access: authenticated, body: exact({ name: Type.String() }), faults: ['conflict'], handle,
  target: { load: async () => ({}), sees: anyone, missing: () => notFound('none') },
})

test('what an operation may refuse with follows from what it is, and from what it says', () => {
  assert.deepEqual(faultsOf(plain), [])
  assert.deepEqual(faultsOf(rich), ['badRequest', 'unauthorized', 'forbidden', 'notFound', 'tooLarge', 'unsupportedMediaType', 'conflict'])
})

test('a fault that its operation does not say is noticed, whichever way it was called', async () => {
  assert.equal(notSaid({ operation: rich, fault: conflict('taken') }), undefined)
  assert.equal(notSaid({ operation: plain, fault: unavailable('the database is away') }), undefined)
  assert.match(notSaid({ operation: plain, fault: forbidden('no') })!, /^plain \(GET \/plain\) answered forbidden/)
  const heard: Refusal[] = [], listen = (refusal: unknown): void => { heard.push(refusal as Refusal) }
  subscribe(refusals.name, listen)
  await assert.rejects(perform(rich, plainContext(), { params: {}, body: { name: 'x' }, version: noVersion } as unknown as Input<unknown, unknown, unknown>, {}), { kind: 'conflict' })
  unsubscribe(refusals.name, listen)
  assert.deepEqual(heard.map(({ operation, fault }) => [operation.name, fault.kind]), [['rich', 'conflict']])
})
