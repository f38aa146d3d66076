// Suspend: memory is written to disk and the process ends; resume starts the same machine and reads it back. So it outlives control plane and host.
// QEMU streams its memory into a socket of ours: it has no right to make files, and the file is nobody else's to exchange.
import { createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Context } from '#base/context.ts'
import { notFound } from '#base/errors.ts'
import { diskFault, removeFile } from '#host/files.ts'
import { bootId } from '#host/processes.ts'
import type { Qmp } from '#host/qmp.ts'
import { receiveOnce } from '#host/sockets.ts'
import { memoryFd } from './command-line.ts'
import { launch } from './launch.ts'
import { failed, layout } from './machine.ts'
import type { Live, Machine } from './machine.ts'
import { readSpec, readState, writeState } from './records.ts'
import { stopProcess } from './stop.ts'
import { follow } from './watch.ts'

/** As long as a slow disk needs for a big guest. */
const transferTimeoutMs = 30 * 60_000

async function moved(qmp: Qmp, command: string, args: Record<string, unknown>): Promise<void> {
  await qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] })
  const over = qmp.event(command, ({ event, data }) => event === 'MIGRATION' && ['completed', 'failed', 'cancelled'].includes(String(data.status)), transferTimeoutMs)
  over.catch(() => {})
  await qmp.execute(command, args)
  const { data } = await over
  if (data.status !== 'completed') throw failed('The instance\'s memory could not be moved', `${command}: ${String(data.status)}`)
}

/** The guest stops, its memory goes to disk, then the process ends. If anything fails the guest goes on as before. */
export async function suspend(m: Machine, live: Live): Promise<void> {
  const at = layout(m, live.id), half = `${at.memory}.new`, wasRunning = live.power === 'running'
  const uid = await m.uids.claim(live.id)
  await live.qmp.execute('stop')
  try {
    const memory = await receiveOnce(join(at.run, 'memory.sock'), uid, stream => pipeline(stream, createWriteStream(half, { mode: 0o600, highWaterMark: 1 << 20, flush: true })))
    try {
      await live.qmp.execute('migrate-set-parameters', { 'max-bandwidth': 2 ** 40 }) // the default is meant for networks
      await moved(live.qmp, 'migrate', { uri: 'unix:memory.sock' })
    } catch (error) {
      memory.cancel()
      // If our end broke (the disk is full), that is the reason, not QEMU's broken pipe.
      await Promise.race([memory.done, Promise.resolve()]).catch(cause => { throw diskFault(cause) })
      throw error
    }
    await memory.done
    await rename(half, at.memory)
  } catch (error) {
    await removeFile(half)
    if (wasRunning) await live.qmp.execute('cont').catch(() => {})
    throw diskFault(error)
  }
  // The shape stays: what is resumed must be built exactly alike.
  const state = { power: 'suspended' as const, shape: live.shape, boot: await bootId(), process: live.processes }
  await writeState(at, state)
  await stopProcess(m, live, state)
}

/** Builds the machine anew around the saved memory. If that fails it is still suspended. */
export async function resume(m: Machine, ctx: Context, id: string): Promise<Live> {
  const at = layout(m, id), [spec, state] = await Promise.all([readSpec(at), readState(at)])
  if (!spec || !state.shape) throw notFound(`Instance ${id} could not be found.`)
  const shape = { ...state.shape, cards: state.shape.cards.map(card => ({ ...card, device: spec.nics.find(nic => nic.portId === card.portId)?.device ?? card.device })) }
  const uid = await m.uids.claim(id)
  const live = await ctx.span('hypervisor.start', () => launch(m, { id, uid, shape, base: spec.rootDisk.base, incoming: true, state: { power: 'suspended' } }))
  try {
    await moved(live.qmp, 'migrate-incoming', { uri: `fd:${memoryFd}` })
  } catch (error) {
    await stopProcess(m, live, { power: 'suspended', shape: state.shape })
    throw failed('The instance\'s memory could not be read back', live.lastWords?.() ?? '', error)
  }
  // From the first instruction on the disk runs ahead of the saved memory, so that must never be loaded again.
  await writeState(at, { power: 'running', shape, boot: await bootId(), process: live.processes })
  await removeFile(at.memory)
  await live.qmp.execute('cont')
  follow(m, live)
  return live
}
