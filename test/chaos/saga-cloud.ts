// A cloud whose servers' sagas are run by runners that the saga contract makes and kills; everything else of it is as always.
import { testCloud, type TestCloud } from '../cloud.ts'
import assert from 'node:assert/strict'
import type { CloudConfig } from '#bin/config.ts'
import type { FakeHypervisor } from '#drivers/hypervisor/fake/fake.ts'
import type { FakeNetworkDriver } from '#drivers/network/fake/driver.ts'
import type { Hooks, Outcome, SagaWorld } from '#kit/saga/contract.ts'
import { createRunner, type Runner } from '#kit/saga/runner.ts'
import { conductorBus } from '#services/compute/bus.ts'
import { buildServer } from '#services/compute/conductor/build.ts'
import { createCommands } from '#services/compute/conductor/commands.ts'
import { deleteServer } from '#services/compute/conductor/delete.ts'
import { createLifecycle } from '#services/compute/conductor/lifecycle.ts'
import { audit, quiet } from './audit.ts'

export interface SagaCloud {
  cloud: TestCloud
  hypervisors: FakeHypervisor[]
  networks: FakeNetworkDriver[]
  /** A world for the contract on `server.build`: the server has one card on a network and one port that the user brought. */
  building(): ServerWorld
  /** A world for the contract on `server.delete`: such a server is there already. */
  deleting(): Promise<ServerWorld>
  close(): Promise<void>
}
export interface ServerWorld extends SagaWorld {
  serverId?: string
  /** What a fault armed, taken away before the world is judged by a calm delete. */
  undo: (() => void)[]
}

export async function sagaCloud(over: Partial<CloudConfig> = {}): Promise<SagaCloud> {
  const cloud = await testCloud(over)
  const { store, bus } = cloud, token = await cloud.login(), admin = await cloud.login('admin')
  const ok = async <T>(reply: Promise<{ status: number, body: T }>): Promise<T> => { const { status, body } = await reply; assert.ok(status < 300, `${status} ${JSON.stringify(body)}`); return body }
  const { body: { port: { id: userPort } } } = await cloud.http(token, 'POST', '/network/v2.0/ports', { port: { network_id: cloud.networkId, name: 'brought' } })

  // The cloud's own runner would take over what the contract abandons.
  await cloud.runner.stop()
  let current: Runner | undefined
  cloud.parts.deps.compute.lifecycle = createLifecycle({ deps: { bus }, runner: () => current!, graceMs: 1000, consoleBytes: 1024 })

  /** A conductor's life: a runner with an address of its own on the bus. */
  let lives = 0
  async function live(hooks: Hooks): Promise<{ runner: Runner, end(): Promise<void> }> {
    const instance = `chaos-${++lives}`
    const commands = createCommands({ store: store.as(), bus, instance, downAfterMs: 60_000, buildTimeoutMs: 20_000 })
    const answers = await bus.serve(conductorBus, new Proxy({} as never, { get: () => async (_ctx: unknown, message: never) => { commands.done(message) } }), { target: instance })
    const deps = { store: store.as(), bus, network: cloud.client('network'), placement: cloud.client('placement'), commands, log: cloud.log }
    const runner = createRunner({
      ...hooks, store, sagas: [buildServer, deleteServer], deps: () => deps, service: 'compute', sealKey: cloud.config.secrets.sealKey,
      contextFor: ({ resourceId, actor, requestId, traceId }) => cloud.tracer.context({ requestId, traceId, resourceId, actor }),
    })
    current = runner
    return { runner, async end() { commands.close(); await answers() } }
  }

  const post = async (): Promise<string> => (await ok(cloud.http<{ server: { id: string } }>(token, 'POST', '/compute/v2.1/servers', {
    server: { name: 'chaos', imageRef: cloud.imageId, flavorRef: '1', config_drive: true, user_data: 'Iw==', networks: [{ uuid: cloud.networkId }, { port: userPort }] },
  }))).server.id
  const remove = async (id: string): Promise<void> => { await ok(cloud.http(token, 'DELETE', `/compute/v2.1/servers/${id}`)) }
  const calm: Omit<Hooks, 'owner'> = { soleOwner: true, leaseMs: 3_600_000, undoBackoff: { firstMs: 1, maxMs: 10, attempts: 4 }, retryBackoff: { firstMs: 1, maxMs: 10 }, probe: (_point, work) => work() }
  /** Runs one piece of work with a runner that nobody disturbs. */
  async function calmly<T>(work: (runner: Runner) => Promise<T>): Promise<T> {
    const { runner, end } = await live({ ...calm, owner: 'calm' })
    try {
      return await work(runner)
    } finally {
      await runner.idle()
      await runner.stop()
      await quiet(cloud)
      await end()
    }
  }
  const nothingWrong = async (): Promise<void> => { await quiet(cloud); assert.deepEqual(await audit(cloud), []) }
  const rowOf = (id: string) => store.read((tx) => tx.db.selectFrom('computeServers').selectAll().where('id', '=', id).executeTakeFirstOrThrow())
  async function isGone(id: string): Promise<void> {
    assert.equal((await cloud.http(token, 'GET', `/compute/v2.1/servers/${id}`)).status, 404)
    assert.notEqual((await rowOf(id)).deletedAt, null)
    const { body: { port } } = await cloud.http(token, 'GET', `/network/v2.0/ports/${userPort}`)
    assert.equal(port.device_id, '')
  }

  function world(known?: string): ServerWorld {
    const ends: (() => Promise<void>)[] = []
    const mine: ServerWorld = {
      ...(known !== undefined && { serverId: known }),
      undo: [],
      async runner(hooks) {
        const life = await live(hooks)
        ends.push(life.end)
        return life.runner
      },
      async start(runner) {
        current = runner
        if (known !== undefined) { await remove(known); return known }
        return mine.serverId = await post()
      },
      check: () => {},
      async close() {
        await quiet(cloud)
        for (const end of ends) await end()
      },
    }
    return mine
  }

  return {
    cloud,
    hypervisors: cloud.hosts.list.map((h) => h.hypervisor as FakeHypervisor), networks: cloud.hosts.list.map((h) => h.network as FakeNetworkDriver),
    building() {
      const mine = world()
      return Object.assign(mine, {
        async preempt(runner: Runner, id: string) { current = runner; await remove(id) },
        async check(outcome: Outcome) {
          for (const disarm of mine.undo.splice(0)) disarm()
          await nothingWrong()
          const { body: { server } } = await cloud.http(admin, 'GET', `/compute/v2.1/servers/${mine.serverId}`)
          if (outcome === 'preempted') return isGone(mine.serverId!)
          assert.equal(server.status, outcome === 'done' ? 'ACTIVE' : 'ERROR')
          if (outcome === 'failed') assert.ok(server.fault.message, JSON.stringify(server.fault))
          // What is asked for last: the server goes, and nothing of it stays.
          await calmly(() => remove(mine.serverId!))
          await nothingWrong()
          await isGone(mine.serverId!)
        },
      })
    },
    async deleting() {
      const id = await calmly(post)
      assert.equal((await rowOf(id)).vmState, 'active')
      const mine = world(id)
      return Object.assign(mine, {
        async check(outcome: Outcome) {
          for (const disarm of mine.undo.splice(0)) disarm()
          assert.equal(outcome, 'done')
          await nothingWrong()
          await isGone(id)
        },
      })
    },
    async close() { await cloud.close() },
  }}
