// Power changes: what is asked for, in each state an instance may be in.
import type { Context } from '#base/context.ts'
import { conflict, notFound } from '#base/errors.ts'
import { removeFile } from '#host/files.ts'
import type { PowerChange } from '../contract.ts'
import { attached } from './attach.ts'
import { layout } from './machine.ts'
import type { Live, Machine } from './machine.ts'
import { readSpec, readState, writeState } from './records.ts'
import { bringUp } from './start.ts'
import { pressPowerButton, stopProcess } from './stop.ts'
import { resume, suspend } from './suspend.ts'

/** `power` of the contract. */
export async function changePower(m: Machine, ctx: Context, id: string, change: PowerChange): Promise<void> {
  const at = layout(m, id), spec = await readSpec(at)
  if (!spec) throw notFound(`Instance ${id} could not be found.`)
  const live = await attached(m, id), { power: resting } = await readState(at)
  const state = live ? live.power : resting
  const start = async (): Promise<void> => { await bringUp(m, ctx, spec, await m.uids.claim(id)) }
  const refuse = (): never => { throw conflict(`Instance ${id} is ${state}`) }

  switch (change.to) {
    case 'on':
      if (!live && state !== 'suspended') await start()
      return
    case 'off':
      if (live) return switchOff(m, live, change.graceMs)
      await removeFile(at.memory)
      return writeState(at, { power: 'shutdown' })
    case 'reboot':
      if (!change.hard && live && state === 'running' && await softReboot(live, change.graceMs)) return
      if (!change.hard && !live) refuse()
      // Built anew, so that a changed spec counts and whatever was wrong with the process is gone.
      if (live) await switchOff(m, live, 0)
      else await writeState(at, { power: 'shutdown' })
      await removeFile(at.memory)
      return start()
    case 'pause':
    case 'unpause':
      if (!live) return refuse()
      await live.qmp.execute(change.to === 'pause' ? 'stop' : 'cont')
      live.power = change.to === 'pause' ? 'paused' : 'running'
      live.reason = undefined
      return
    case 'suspend':
      if (live) return suspend(m, live)
      return state === 'suspended' ? undefined : refuse()
    case 'resume':
      if (!live && state === 'suspended') return void await resume(m, ctx, id)
      return live && state === 'running' ? undefined : refuse()
  }
}

async function switchOff(m: Machine, live: Live, graceMs: number): Promise<void> {
  await pressPowerButton(live, graceMs).catch(() => {}) // a monitor that does not answer: the plug is next
  await stopProcess(m, live, { power: 'shutdown' })
}

/** Asks the guest to shut down, and starts it again in the same process. False: it did not want to. */
async function softReboot(live: Live, graceMs: number): Promise<boolean> {
  if (!await pressPowerButton(live, graceMs)) return false
  await live.qmp.execute('system_reset')
  await live.qmp.execute('cont')
  return true
}
