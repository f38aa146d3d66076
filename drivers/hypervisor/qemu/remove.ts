// Makes an instance absent, however much or little of it there is.
import { isFault } from '#base/errors.ts'
import { removeFile, removeIfEmpty, removeTree } from '#host/files.ts'
import { bootId, processesOf } from '#host/processes.ts'
import { dirname } from 'node:path'
import { layout } from './machine.ts'
import type { Machine } from './machine.ts'
import { readState } from './records.ts'
import { killAll, laidToRest } from './stop.ts'

/** Processes first, then files, the uid last: it must not be given to another while anything of this one is left. */
export async function absent(m: Machine, id: string, options: { keepUid?: boolean } = {}): Promise<void> {
  let at
  try { at = layout(m, id) } catch (error) { if (isFault(error, 'notFound')) return; throw error }
  const live = m.live.get(id)
  m.live.delete(id)
  const state = await readState(at).catch(() => ({ power: 'running' as const, process: undefined, boot: undefined })) // unreadable: look for all that may be
  const written = state.process && state.boot === await bootId() ? state.process : undefined
  const unknown = state.power === 'running' && !written ? await processesOf(new Set([await m.uids.claim(id)])) : []
  await killAll([live?.processes.qemu, written?.qemu, ...unknown])
  live?.qmp.close()
  await laidToRest(m, id, live?.processes ?? written ?? {})
  // The spec goes first: what has none is not listed any more.
  await removeFile(at.spec)
  await removeTree(at.dir)
  await removeIfEmpty(dirname(at.dir))
  if (!options.keepUid) await m.uids.release(id)
}
