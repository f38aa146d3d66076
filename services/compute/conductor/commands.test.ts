import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainContext } from '#base/context.ts'
import type { StepContext } from '#kit/saga/saga.ts'
import { createCommands, type CommandOptions } from './commands.ts'

/** The looks at the hosts are answered by the test; a written command is told. */
function rig() {
  const looks: { resolve(up: Set<string>): void }[] = [], written: string[] = []
  const slow = Promise.withResolvers<void>()
  const store = {
    read: () => new Promise<Set<string>>((resolve) => { looks.push({ resolve }) }),
    tx: async (work: (tx: object) => Promise<unknown>) => work({}),
  }
  const bus = { cast: async (_tx: object, _ctx: object, _contract: object, command: string, _body: object, { target }: { target: string }) => { if (target === 'slow') await slow.promise; written.push(`${command} ${target}`) } }
  const commands = createCommands({ store, bus, instance: 'c-1', downAfterMs: 60_000, buildTimeoutMs: 60_000 } as unknown as CommandOptions)
  const ctx = (serverId: string): StepContext => ({ ...plainContext(), resourceId: serverId, epoch: 1, signal: new AbortController().signal })
  const turns = async (): Promise<void> => { for (let i = 0; i < 5; i++) await new Promise(setImmediate) }
  return { commands, looks, written, ctx, turns, slow }
}

test('a host nobody asked about yet is not taken for dead by a look that was under way', async (t) => {
  const { commands, looks, written, ctx, turns } = rig()
  t.after(() => commands.close())
  const first = commands.remove(ctx('s1'), 'dead')
  await turns()
  const second = commands.ensure(ctx('s2'), 'well')
  await turns()
  looks[0]!.resolve(new Set())
  await first
  commands.done({ serverId: 's2', epoch: 1, command: 'ensure' })
  await second
  assert.deepEqual(written, ['remove dead', 'ensure well'])
})

test('a host found dead while its command is being written harms nobody else', async (t) => {
  const { commands, looks, ctx, turns, slow } = rig()
  t.after(() => commands.close())
  const doomed = commands.ensure(ctx('s1'), 'slow')
  void commands.remove(ctx('s2'), 'dead')
  await turns()
  looks[0]!.resolve(new Set())
  // Node ends a process for a rejection nobody has taken by now.
  await turns()
  slow.resolve()
  await assert.rejects(doomed, /stopped reporting/)
})
