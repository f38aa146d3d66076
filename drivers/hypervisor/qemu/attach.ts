// Finds guests again after the control plane died, wherever it died: what is written down is compared with what runs.
import { isFault } from '#base/errors.ts'
import { bootId, isRunning, processesOf, uidOf } from '#host/processes.ts'
import type { ProcessId } from '#host/processes.ts'
import { openQmp } from '#host/qmp.ts'
import type { Seen } from '../contract.ts'
import { layout } from './machine.ts'
import type { Live, Machine } from './machine.ts'
import { readSpec, readState, recordedIds, writeState } from './records.ts'
import type { State } from './records.ts'
import { killAll, laidToRest } from './stop.ts'
import { follow, powerOf, refresh, runStateOf } from './watch.ts'

/** A guest that works answers at once; one that hangs must not hold up all others. */
const answerTimeoutMs = 5000

/** The guest's process: the written one if it is still that, else what runs as its uid (the control plane died between start and record). */
async function findProcess(state: State, uid: number): Promise<ProcessId | undefined> {
  if (state.process) {
    const { qemu } = state.process
    return state.boot === await bootId() && await isRunning(qemu) && await uidOf(qemu.pid) === uid ? qemu : undefined
  }
  const [found] = await processesOf(new Set([uid]))
  return found
}

/** The handle on a running guest; undefined if it does not run, which is then written down. Call it in the instance's turn. */
export async function attached(m: Machine, id: string): Promise<Live | undefined> {
  const known = m.live.get(id)
  if (known?.qmp.open) return known
  const at = layout(m, id), state = await readState(at)
  if (state.power !== 'running') {
    // Died between the record of a stop and the stop itself.
    if (state.process) await forget(m, id, state, state)
    return undefined
  }
  const process = await findProcess(state, await m.uids.claim(id))
  if (!process || !state.shape) {
    const reason = state.boot !== undefined && state.boot !== await bootId() ? 'the host was restarted' : 'its process ended while nobody watched'
    await forget(m, id, state, { ...state, power: 'crashed', reason })
    m.report({ id, power: 'crashed', reason })
    return undefined
  }
  const qmp = await openQmp(at.qmp, answerTimeoutMs)
  const processes = { ...state.process, qemu: process }
  const live: Live = { id, qmp, processes, shape: state.shape, power: 'running', hurry: new AbortController() }
  try {
    live.power = powerOf(await runStateOf(live))
    if (!state.process) await writeState(at, { ...state, boot: await bootId(), process: processes })
  } catch (error) {
    qmp.close()
    throw error
  }
  follow(m, live)
  await refresh(m, live) // it may have switched itself off while nobody watched
  return m.live.get(id)
}

async function forget(m: Machine, id: string, old: State, state: State): Promise<void> {
  const processes = old.process && old.boot === await bootId() ? old.process : undefined
  await killAll([processes?.qemu])
  await laidToRest(m, id, processes ?? {})
  await writeState(layout(m, id), { ...state, process: undefined })
}

/** How an instance is; undefined if there is none (a half-removed one counts as none). */
export async function look(m: Machine, id: string): Promise<Seen | undefined> {
  if (!await readSpec(layout(m, id))) return undefined
  let live: Live | undefined
  try {
    live = await attached(m, id)
  } catch (error) {
    if (!isFault(error)) throw error
    m.log.warn({ instance: id, error: error.message }, 'a guest runs but its monitor does not answer')
    return { id, power: 'running', reason: 'its monitor does not answer' }
  }
  if (live) return { id, power: live.power, ...(live.power !== 'running' && live.reason && { reason: live.reason }) }
  const { power, reason } = await readState(layout(m, id))
  return { id, power: power === 'running' ? 'crashed' : power, ...(reason && { reason }) }
}

export async function lookAtAll(m: Machine): Promise<Seen[]> {
  const ids = (await recordedIds(m.settings.stateDir)).filter(id => /^[\w-]+$/.test(id))
  const seen = await Promise.all(ids.map(id => {
    const live = m.live.get(id) // most of the time nothing needs to be read, and nobody waits behind a long shutdown
    return live?.qmp.open ? { id, power: live.power, ...(live.power !== 'running' && live.reason && { reason: live.reason }) } : m.serial.run(id, () => look(m, id))
  }))
  return seen.filter(one => one !== undefined)
}
