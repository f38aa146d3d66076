// What every hypervisor driver must pass. A driver's own test calls hypervisorSuite() with a harness that knows how to make it, hurt it and restart it.
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { isFault } from '#base/errors.ts'
import { plainContext } from '#base/context.ts'
import { newId } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import type { Hypervisor, InstanceSpec, Power, Seen } from './contract.ts'

export interface HypervisorHarness {
  driver: Hypervisor
  /** A spec of a small guest with a new id, which writes `greeting` on its serial console soon after it starts. */
  spec(): InstanceSpec
  greeting: string
  /** A spec whose start fails. */
  failingSpec(): InstanceSpec
  /** The control plane dies and comes again over the same state; `driver` is the new one. */
  restart(): Promise<void>
  /** Ends the instance's process as by kill -9, behind the driver's back. */
  killOutside(id: string): Promise<void>
  /** The guest itself switches its machine off. */
  shutDownInside(id: string): Promise<void>
  /** What of an instance is still on the host: files, processes, groups. Empty after `remove`. */
  leftovers(id: string): Promise<string[]>
  close(): Promise<void>
}

const ctx = plainContext()
const patienceMs = 30_000

export function hypervisorSuite(name: string, make: () => Promise<HypervisorHarness>): void {
  describe(`hypervisor ${name}`, () => {
    let h: HypervisorHarness
    const made = new Set<string>()
    before(async () => { h = await make() })
    after(async () => {
      for (const id of made) await h?.driver.remove(ctx, id).catch(() => {})
      await h?.close()
    })

    const fresh = (over: Partial<InstanceSpec> = {}): InstanceSpec => {
      const spec = { ...h.spec(), ...over }
      made.add(spec.id)
      return spec
    }
    const started = async (): Promise<InstanceSpec> => {
      const spec = fresh()
      await h.driver.ensure(ctx, spec)
      return spec
    }
    const powerOf = async (id: string): Promise<Power | undefined> => (await h.driver.list(ctx)).find(seen => seen.id === id)?.power
    const gone = async (id: string): Promise<void> => {
      await h.driver.remove(ctx, id)
      made.delete(id)
      assert.equal(await powerOf(id), undefined)
      assert.deepEqual(await h.leftovers(id), [])
    }
    const greeted = (id: string): Promise<string> => waitFor('the guest\'s greeting', async () => {
      const text = (await h.driver.consoleLog(ctx, id, 65_536)).toString('latin1')
      return text.includes(h.greeting) ? text : undefined
    }, patienceMs)
    /** Watches; `of` answers the first report about an instance, `stop` ends it. */
    const watching = (): { of(id: string): Promise<Seen>, stop(): void, all: Seen[] } => {
      const stop = new AbortController(), all: Seen[] = []
      h.driver.watch(stop.signal, change => { all.push(change) })
      return { all, stop: () => stop.abort(), of: id => waitFor(`a report about ${id}`, () => all.find(seen => seen.id === id), patienceMs) }
    }

    test('the host is described', async () => {
      const facts = await h.driver.inspectHost(ctx)
      assert.ok(facts.vcpus > 0 && facts.memoryMib > 0 && facts.diskGib > 0, JSON.stringify(facts))
      assert.ok(facts.hypervisorVersion > 0 && facts.cpuInfo.arch !== '' && facts.hypervisorType !== '')
    })

    test('ensure twice is once, remove twice is fine', async () => {
      const spec = await started()
      assert.equal(await powerOf(spec.id), 'running')
      const text = await greeted(spec.id)
      await h.driver.ensure(ctx, spec)
      assert.equal(await powerOf(spec.id), 'running')
      assert.equal((await greeted(spec.id)).split(h.greeting).length, text.split(h.greeting).length, 'it was not started again')
      await gone(spec.id)
      await gone(spec.id)
    })

    test('two ensures at the same time are once', async () => {
      const spec = fresh()
      await Promise.all([h.driver.ensure(ctx, spec), h.driver.ensure(ctx, spec)])
      assert.equal((await h.driver.list(ctx)).filter(seen => seen.id === spec.id).length, 1)
      assert.equal((await greeted(spec.id)).split(h.greeting).length, 2)
      await gone(spec.id)
    })

    test('remove of what never was', async () => {
      await h.driver.remove(ctx, newId())
    })

    test('the owner of an instance stays the same and is nobody else\'s', async () => {
      const [a, b] = [fresh(), fresh()]
      const [first, other] = [await h.driver.ownerUid(ctx, a.id), await h.driver.ownerUid(ctx, b.id)]
      if (first !== 0) assert.notEqual(first, other)
      await h.driver.ensure(ctx, a)
      assert.equal(await h.driver.ownerUid(ctx, a.id), first)
      await h.restart()
      assert.equal(await h.driver.ownerUid(ctx, a.id), first)
      assert.equal(await h.driver.ownerUid(ctx, b.id), other)
      await gone(a.id)
      await gone(b.id) // was never started, but asked for
    })

    test('what is not there is NotFound', async () => {
      const missing = (error: unknown): boolean => isFault(error, 'notFound')
      await assert.rejects(h.driver.power(ctx, newId(), { to: 'on' }), missing)
      await assert.rejects(h.driver.consoleLog(ctx, newId(), 100), missing)
    })

    test('every power change, each asked twice', async () => {
      const { id } = await started()
      await greeted(id)
      const steps = [
        [{ to: 'on' }, 'running'], [{ to: 'pause' }, 'paused'], [{ to: 'on' }, 'paused'], [{ to: 'unpause' }, 'running'], [{ to: 'suspend' }, 'suspended'], [{ to: 'resume' }, 'running'],
        [{ to: 'reboot', hard: true, graceMs: 0 }, 'running'], [{ to: 'reboot', hard: false, graceMs: 100 }, 'running'], [{ to: 'pause' }, 'paused'],
        [{ to: 'off', graceMs: 100 }, 'shutdown'], [{ to: 'on' }, 'running'], [{ to: 'off', graceMs: 0 }, 'shutdown'], [{ to: 'reboot', hard: true, graceMs: 0 }, 'running'],
      ] as const
      for (const [change, expected] of steps) {
        for (const again of [false, true]) {
          await h.driver.power(ctx, id, change)
          assert.equal(await powerOf(id), expected, `${JSON.stringify(change)}${again ? ' again' : ''}`)
        }
      }
      await gone(id)
    })

    test('what a state does not allow is a Conflict and changes nothing', async () => {
      const { id } = await started()
      const refused = (error: unknown): boolean => isFault(error, 'conflict')
      await h.driver.power(ctx, id, { to: 'off', graceMs: 0 })
      for (const to of ['pause', 'unpause', 'suspend', 'resume'] as const) await assert.rejects(h.driver.power(ctx, id, { to }), refused, to)
      await assert.rejects(h.driver.power(ctx, id, { to: 'reboot', hard: false, graceMs: 0 }), refused)
      assert.equal(await powerOf(id), 'shutdown')
      await gone(id)
    })

    test('ensure starts what is stopped and leaves what is paused', async () => {
      const spec = await started()
      await h.driver.power(ctx, spec.id, { to: 'off', graceMs: 0 })
      await h.driver.ensure(ctx, spec)
      assert.equal(await powerOf(spec.id), 'running')
      await h.driver.power(ctx, spec.id, { to: 'pause' })
      await h.driver.ensure(ctx, spec)
      assert.equal(await powerOf(spec.id), 'paused')
      await h.driver.power(ctx, spec.id, { to: 'suspend' })
      await h.driver.ensure(ctx, spec)
      assert.equal(await powerOf(spec.id), 'running')
      await gone(spec.id)
    })

    test('the console log is kept, its end is given', async () => {
      const { id } = await started()
      await greeted(id)
      assert.equal((await h.driver.consoleLog(ctx, id, 5)).length, 5)
      await h.driver.power(ctx, id, { to: 'off', graceMs: 0 })
      await greeted(id) // also of a stopped one
      await h.restart()
      await greeted(id)
      await gone(id)
    })

    test('a restarted control plane finds everything as it was', async () => {
      const [running, paused, stopped, suspended] = await Promise.all([started(), started(), started(), started()])
      await greeted(running.id)
      await h.driver.power(ctx, paused.id, { to: 'pause' })
      await h.driver.power(ctx, stopped.id, { to: 'off', graceMs: 0 })
      await h.driver.power(ctx, suspended.id, { to: 'suspend' })
      await h.restart()
      const powers = Object.fromEntries((await h.driver.list(ctx)).map(seen => [seen.id, seen.power]))
      assert.deepEqual([running, paused, stopped, suspended].map(spec => powers[spec.id]), ['running', 'paused', 'shutdown', 'suspended'])
      await h.driver.ensure(ctx, running)
      assert.equal((await greeted(running.id)).split(h.greeting).length, 2, 'it was adopted, not started again')
      await h.driver.power(ctx, paused.id, { to: 'unpause' })
      await h.driver.power(ctx, suspended.id, { to: 'resume' })
      assert.deepEqual([await powerOf(paused.id), await powerOf(suspended.id)], ['running', 'running'])
      await Promise.all([running, paused, stopped, suspended].map(spec => gone(spec.id)))
    })

    test('a guest killed from outside is noticed', async () => {
      const { id } = await started()
      const watch = watching()
      await h.killOutside(id)
      assert.equal((await watch.of(id)).power, 'crashed')
      assert.equal(await powerOf(id), 'crashed')
      watch.stop()
      await h.driver.power(ctx, id, { to: 'on' })
      assert.equal(await powerOf(id), 'running')
      await gone(id)
    })

    test('a guest that shuts itself down is noticed', async () => {
      const { id } = await started()
      await greeted(id)
      const watch = watching()
      await h.shutDownInside(id)
      assert.equal((await watch.of(id)).power, 'shutdown')
      assert.equal(await powerOf(id), 'shutdown')
      watch.stop()
      await gone(id)
    })

    test('what was adopted is watched too', async () => {
      const [killed, ended] = await Promise.all([started(), started()])
      await greeted(ended.id)
      await h.restart()
      const watch = watching()
      await h.driver.list(ctx) // by now it is attached to all
      await h.killOutside(killed.id)
      await h.shutDownInside(ended.id)
      assert.equal((await watch.of(killed.id)).power, 'crashed')
      assert.equal((await watch.of(ended.id)).power, 'shutdown')
      watch.stop()
      await Promise.all([gone(killed.id), gone(ended.id)])
    })

    test('own changes are not reported, and an ended watch is silent', async () => {
      const { id } = await started()
      const [watch, ended] = [watching(), watching()]
      ended.stop()
      await h.driver.power(ctx, id, { to: 'off', graceMs: 0 })
      await h.driver.power(ctx, id, { to: 'on' })
      await h.driver.power(ctx, id, { to: 'reboot', hard: true, graceMs: 0 })
      assert.deepEqual(watch.all.filter(seen => seen.id === id), [])
      await h.killOutside(id) // reports come in order: nothing before this one
      await watch.of(id)
      assert.deepEqual(watch.all.filter(seen => seen.id === id).map(seen => seen.power), ['crashed'])
      assert.deepEqual(ended.all, [])
      watch.stop()
      await gone(id)
    })

    test('many at once', async () => {
      const specs = Array.from({ length: 6 }, () => fresh())
      await Promise.all(specs.map(spec => h.driver.ensure(ctx, spec)))
      const seen = await h.driver.list(ctx)
      for (const spec of specs) assert.deepEqual(seen.filter(s => s.id === spec.id), [{ id: spec.id, power: 'running' }])
      await Promise.all(specs.map(spec => gone(spec.id)))
    })

    test('a start that fails says so and leaves nothing after remove', async () => {
      const spec = h.failingSpec()
      made.add(spec.id)
      await assert.rejects(h.driver.ensure(ctx, spec), error => isFault(error))
      await assert.rejects(h.driver.ensure(ctx, spec), error => isFault(error))
      assert.notEqual(await powerOf(spec.id), 'running')
      await gone(spec.id)
    })

    test('remove while it starts', async () => {
      const spec = fresh()
      const starting = h.driver.ensure(ctx, spec).catch(() => {})
      await h.driver.remove(ctx, spec.id)
      await starting
      await gone(spec.id)
    })
  })
}
