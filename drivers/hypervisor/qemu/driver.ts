// The qemu driver: each instance a QEMU process of its own, spoken to over its monitor. Processes live on when we end, and are found again.
import { notFound } from '#base/errors.ts'
import { Serial } from '#base/serial.ts'
import { detectCgroups } from '#host/cgroup.ts'
import { ensureDirectory, removeIfEmpty } from '#host/files.ts'
import { join } from 'node:path'
import type { Hypervisor, Seen } from '../contract.ts'
import { attached, lookAtAll } from './attach.ts'
import { settle } from './config.ts'
import type { QemuConfig } from './config.ts'
import { readLog } from './console.ts'
import { inspectHost } from './host-facts.ts'
import { layout, quiet } from './machine.ts'
import type { Machine } from './machine.ts'
import { plugNic, unplugNic } from './plug.ts'
import { changePower } from './power.ts'
import { readSpec } from './records.ts'
import { absent } from './remove.ts'
import { ensure } from './start.ts'
import { uidsIn } from './uids.ts'

/** Needs root: for uids, control groups and namespaces. The first uid of the range keeps the serial logs, the others run guests. */
export async function createQemu(config: QemuConfig): Promise<Hypervisor> {
  const settings = await settle(config)
  await ensureDirectory(settings.stateDir)
  const watchers = new Set<(seen: Seen) => void>()
  const m: Machine = {
    settings, cgroups: await detectCgroups(), uids: uidsIn(join(settings.stateDir, 'uids'), settings.uidBase + 1, settings.uidCount - 1),
    live: new Map(), serial: new Serial(), log: quiet, closing: false,
    report: seen => { for (const watcher of [...watchers]) watcher(seen) },
  }
  const known = async (id: string): Promise<void> => { if (!await readSpec(layout(m, id))) throw notFound(`Instance ${id} could not be found.`) }
  return {
    name: 'qemu',
    inspectHost: () => inspectHost(settings),
    list: ctx => { m.log = ctx.log; return lookAtAll(m) },
    ownerUid: (_ctx, id) => m.uids.claim(id),
    ensure: (ctx, spec) => m.serial.run(spec.id, () => ensure(m, ctx, spec)),
    remove: (_ctx, id) => {
      m.live.get(id)?.hurry.abort() // nobody needs a patient shutdown any more
      return m.serial.run(id, () => absent(m, id))
    },
    power: (ctx, id, change) => m.serial.run(id, () => changePower(m, ctx, id, change)),
    async consoleLog(_ctx, id, maxBytes) {
      await known(id)
      return readLog(layout(m, id).log, Math.max(0, maxBytes))
    },
    watch(signal, seen) {
      if (signal.aborted) return
      const watcher = (change: Seen): void => seen(change) // the same function may watch twice
      watchers.add(watcher)
      signal.addEventListener('abort', () => watchers.delete(watcher), { once: true })
      void lookAtAll(m).catch(error => m.log.error({ error: String(error) }, 'guests could not be looked for'))
    },
    async close() {
      m.closing = true
      watchers.clear()
      await m.serial.idle()
      for (const live of m.live.values()) live.qmp.close()
      m.live.clear()
      for (const directory of ['instances', 'uids']) await removeIfEmpty(join(settings.stateDir, directory))
    },
    plug: {
      nic: (_ctx, id, nic) => m.serial.run(id, () => plugNic(m, id, nic)),
      unplugNic: (_ctx, id, portId) => m.serial.run(id, () => unplugNic(m, id, portId)),
    },
    vnc: {
      async socket(_ctx, id) {
        await known(id)
        if (!await m.serial.run(id, () => attached(m, id))) throw notFound(`Instance ${id} does not run`)
        return layout(m, id).vnc
      },
    },
  }
}
