// Notices what happens by itself: the guest switches itself off, QEMU dies or is killed, the host's disk fills up.
import { ended } from '#host/processes.ts'
import type { Power } from '../contract.ts'
import { layout } from './machine.ts'
import type { Live, Machine } from './machine.ts'
import { readState, writeState } from './records.ts'
import { stopProcess } from './stop.ts'

/** QEMU's run states (RunState in its machine protocol) as ours. */
export function powerOf(runState: string): Power {
  if (runState === 'running') return 'running'
  if (runState === 'shutdown') return 'shutdown'
  if (runState === 'guest-panicked' || runState === 'internal-error') return 'crashed'
  return 'paused'
}

export const runStateOf = async (live: Live): Promise<string> => String((await live.qmp.execute<{ status?: unknown }>('query-status')).status)

const noticed = new Set(['SHUTDOWN', 'STOP', 'RESUME', 'GUEST_PANICKED', 'WATCHDOG', 'SUSPEND', 'WAKEUP'])

/** From now on what happens to the guest is noticed. */
export function follow(m: Machine, live: Live): void {
  m.live.set(live.id, live)
  live.qmp.unref()
  live.qmp.onEvent(({ event, data }) => {
    if (event === 'BLOCK_IO_ERROR') live.reason = data.nospace === true ? 'no space left on the host\'s disk' : 'the host\'s disk gave an error'
    // In the instance's turn: after work of our own that caused it, when there is nothing new to report any more.
    if (noticed.has(event)) void m.serial.run(live.id, () => refresh(m, live)).catch(() => {}) // a monitor that closed is noticed below
  })
  void live.qmp.closed.then(() => m.closing ? undefined : m.serial.run(live.id, () => lost(m, live)))
    .catch(error => m.log.error({ instance: live.id, error: String(error) }, 'the end of a guest could not be recorded'))
}

/** Asks the guest how it is, reports what changed, and lays a guest to rest that has switched itself off. */
export async function refresh(m: Machine, live: Live): Promise<void> {
  if (m.live.get(live.id) !== live) return
  const power = powerOf(await runStateOf(live))
  if (power === 'shutdown') {
    await stopProcess(m, live, { power: 'shutdown', reason: 'shut down by the guest' })
    m.report({ id: live.id, power, reason: 'shut down by the guest' })
  } else if (power !== live.power) {
    live.power = power
    const reason = power === 'crashed' ? 'the guest\'s system or its processor crashed' : power === 'paused' ? live.reason : undefined
    m.report({ id: live.id, power, ...(reason && { reason }) })
  }
}

/** The monitor closed and nobody of us did it. */
async function lost(m: Machine, live: Live): Promise<void> {
  if (m.live.get(live.id) !== live || m.closing) return
  m.live.delete(live.id)
  if (!await ended(live.processes.qemu, 5000)) return void m.log.error({ instance: live.id }, 'a guest runs on but its monitor closed') // attached again when somebody asks
  const words = live.lastWords?.()
  const reason = `its process ended unexpectedly${words ? `: ${words}` : ''}`
  const at = layout(m, live.id)
  const state = await readState(at)
  await writeState(at, { ...state, power: 'crashed', reason, process: undefined })
  m.report({ id: live.id, power: 'crashed', reason })
}
