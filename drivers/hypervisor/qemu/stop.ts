// Ends a guest's process, patiently or at once.
import { ended, kill } from '#host/processes.ts'
import type { ProcessId } from '#host/processes.ts'
import { groupOf, layout } from './machine.ts'
import type { Live, Machine } from './machine.ts'
import { writeState } from './records.ts'
import type { Processes, State } from './records.ts'

/** Presses the power button and waits for the guest to switch itself off. Answers whether it did. */
export async function pressPowerButton(live: Live, graceMs: number): Promise<boolean> {
  if (graceMs <= 0 || live.power !== 'running') return false
  const off = live.qmp.event('system_powerdown', ({ event, data }) => event === 'SHUTDOWN' && data.reason !== 'host-qmp-quit', graceMs, live.hurry.signal).then(() => true, () => false)
  await live.qmp.execute('system_powerdown')
  return off
}

/** Ends the process, writes down what the instance is now. Its disk is closed properly unless QEMU hangs. */
export async function stopProcess(m: Machine, live: Live, state: State): Promise<void> {
  m.live.delete(live.id) // from here on its end is our doing
  await live.qmp.execute('quit', undefined, 2000).catch(() => {})
  if (!await ended(live.processes.qemu, 3000)) await kill(live.processes.qemu)
  live.qmp.close()
  await laidToRest(m, live.id, live.processes)
  await writeState(layout(m, live.id), { ...state, process: undefined })
}

/** The log's keeper ends when it has read the last of what the guest wrote. */
export async function laidToRest(m: Machine, id: string, { logKeeper }: Pick<Processes, 'logKeeper'>): Promise<void> {
  if (logKeeper && !await ended(logKeeper, 2000)) await kill(logKeeper)
  await m.cgroups.remove(groupOf(m), id)
}

/** Kills what a record names. */
export async function killAll(processes: readonly (ProcessId | undefined)[]): Promise<void> {
  await Promise.all(processes.map(async process => { if (process) await kill(process) }))
}
