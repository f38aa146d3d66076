// The saga contract as this cloud runs it, and the failures of its own that it knows.
import assert from 'node:assert/strict'
import test from 'node:test'
import { type ContractOptions, sagaContract } from '#kit/saga/contract.ts'
import { sagaCloud, type SagaCloud, type ServerWorld } from './saga-cloud.ts'

type Bounds = Pick<ContractOptions<ServerWorld>, 'maxPairs' | 'maxPoints'>
const fake = { vcpus: 64, memoryMib: 262_144, diskGib: 10_000 }

/** What drivers may do to a build: nothing at all, all of it and then lose the answer, once or always. */
function faultsOf({ hypervisors, networks }: SagaCloud): Record<string, (world: ServerWorld) => void> {
  const guests = (failure: Parameters<(typeof hypervisors)[0]['fail']>[0]) => (world: ServerWorld): void => { for (const h of hypervisors) world.undo.push(h.fail(failure)) }
  const ports = (call: 'ensurePort' | 'removePort' | 'ensureNetwork', times: number, when: 'before' | 'after') => (): void => { for (const n of networks) n.fail({ call, times, when }) }
  const both = (...arms: ((world: ServerWorld) => void)[]) => (world: ServerWorld): void => { for (const arm of arms) arm(world) }
  return {
    'the first start of a guest': guests({ operation: 'ensure', nth: 1 }),
    'the answer to the first start of a guest': guests({ operation: 'ensure', nth: 1, afterwards: true }),
    'every start of a guest': guests({ operation: 'ensure' }),
    'every start of a guest, once it runs': guests({ operation: 'ensure', afterwards: true }),
    'every start of a guest, and the first removals': both(guests({ operation: 'ensure', afterwards: true }), guests({ operation: 'remove', nth: 1 }), guests({ operation: 'remove', nth: 2, afterwards: true })),
    'wiring a port': ports('ensurePort', 1, 'before'),
    'wiring a port, once it is wired': ports('ensurePort', 1, 'after'),
    'taking a port away after a failed start': both(guests({ operation: 'ensure', afterwards: true }), ports('removePort', 2, 'before')),
    'the uid of a guest': guests({ operation: 'ownerUid' }),
  }
}

export const contractOfBuild = (name: string, hosts: number, bounds: Bounds): void => void test(name, async (t) => {
  const chaos = await sagaCloud({ fake: { ...fake, hosts } })
  t.after(() => chaos.close())
  const report = await sagaContract({ fresh: async () => chaos.building(), faults: faultsOf(chaos), fenced: true, late: (step) => step.endsWith('spawn'), patienceMs: 20_000, ...bounds })
  assert.deepEqual(report.steps, ['own', 'port 0', 'place 1/claim', 'host 1/assign', 'host 1/bind 0', 'host 1/bind 1', 'host 1/spawn', 'finish'])
  t.diagnostic(`${report.runs} runs, ${report.writes} journal writes`)
})

export const contractOfDelete = (name: string, bounds: Bounds): void => void test(name, async (t) => {
  const chaos = await sagaCloud({ fake })
  t.after(() => chaos.close())
  const { hypervisors: [h], networks: [n] } = chaos
  const report = await sagaContract({
    fresh: () => chaos.deleting(), fenced: true, late: () => true, patienceMs: 20_000, ...bounds,
    faults: {
      'the first removals of the guest': (world) => { world.undo.push(h!.fail({ operation: 'remove', nth: 1 }), h!.fail({ operation: 'remove', nth: 2, afterwards: true })) },
      'taking a port away': () => n!.fail({ call: 'removePort', times: 2, when: 'before' }),
      'taking a port away, once it is gone': () => n!.fail({ call: 'removePort', times: 2, when: 'after' }),
    },
  })
  assert.deepEqual(report.steps, ['look', 'guest', 'port 0', 'port 1', 'allocations', 'finish'])
  t.diagnostic(`${report.runs} runs, ${report.writes} journal writes`)
})
