// Guests seen from outside the control plane: stopping and removing all of them, with or without it.
import { plainContext, type Log } from '#base/context.ts'
import { explain, isFault } from '#base/errors.ts'
import type { Hypervisor } from '#drivers/hypervisor/contract.ts'

export interface Stopped { stopped: string[], failed: { id: string, error: string }[] }

const guestsOf = async (hypervisor: Hypervisor, work: (id: string, power: string) => Promise<boolean>): Promise<Stopped> => {
  const done: Stopped = { stopped: [], failed: [] }
  await Promise.all((await hypervisor.list(plainContext())).map(async ({ id, power }) => {
    try { if (await work(id, power)) done.stopped.push(id) } catch (error) { done.failed.push({ id, error: explain(error) }) }
  }))
  return done
}

/** Shuts every running guest down, all at once: the power button first, the plug after the grace. */
export async function stopGuests(hypervisors: Hypervisor[], graceMs: number, log: Log): Promise<Stopped> {
  const parts = await Promise.all(hypervisors.map((hypervisor) => guestsOf(hypervisor, async (id, power) => {
    if (power === 'shutdown' || power === 'crashed' || power === 'suspended') return false
    // A guest that is being deleted may be gone by now.
    await hypervisor.power(plainContext({ log }), id, { to: 'off', graceMs }).catch((error: unknown) => { if (!isFault(error, 'notFound')) throw error })
    return true
  })))
  return { stopped: parts.flatMap((p) => p.stopped), failed: parts.flatMap((p) => p.failed) }
}

/** Makes every guest absent, its disks included. Throws when one resists. */
export async function removeGuests(hypervisor: Hypervisor, log: Log): Promise<number> {
  const { stopped, failed } = await guestsOf(hypervisor, async (id) => { await hypervisor.remove(plainContext({ log }), id); return true })
  if (failed.length > 0) throw new Error(`${failed.length} guests could not be removed: ${failed[0]!.error}`)
  return stopped.length
}
