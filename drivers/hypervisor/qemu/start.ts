// Makes an instance exist and run: its directory, disk and config drive, then the process. Every step may find that it was done before.
import { mkdir } from 'node:fs/promises'
import { badRequest, isFault } from '#base/errors.ts'
import type { Context } from '#base/context.ts'
import { diskFault, ensureDirectory, isExisting } from '#host/files.ts'
import { dirname } from 'node:path'
import type { InstanceSpec } from '../contract.ts'
import { attached } from './attach.ts'
import { ensureConfigDrive, ensureDisk } from './disks.ts'
import { launch } from './launch.ts'
import { layout, together } from './machine.ts'
import type { Live, Machine } from './machine.ts'
import { readSpec, readState, writeSpec, writeState } from './records.ts'
import type { Card, Shape } from './records.ts'
import { absent } from './remove.ts'
import { resume } from './suspend.ts'
import { follow } from './watch.ts'

export function shapeOf(m: Machine, spec: InstanceSpec): Shape {
  const { vcpus, memoryMib, name, smbios } = spec
  return {
    vcpus, memoryMib, name, smbios, configDrive: spec.configDrive !== undefined, ports: Math.max(m.settings.hotplugPorts, spec.nics.length + 2),
    cards: spec.nics.map((nic, port): Card => ({ ...nic, port })),
  }
}

function check(m: Machine, spec: InstanceSpec): void {
  if (!Number.isInteger(spec.vcpus) || spec.vcpus < 1 || spec.vcpus > m.settings.maxVcpus) throw badRequest(`This host gives 1 to ${m.settings.maxVcpus} processors to an instance`)
  if (!Number.isInteger(spec.memoryMib) || spec.memoryMib < 1) throw badRequest('An instance needs memory')
}

/** `ensure` of the contract. */
export async function ensure(m: Machine, ctx: Context, spec: InstanceSpec): Promise<void> {
  check(m, spec)
  const at = layout(m, spec.id)
  const before = await readSpec(at)
  try {
    if (before && await attached(m, spec.id)) {
      if (JSON.stringify(before) !== JSON.stringify(spec)) await writeSpec(at, spec)
      return
    }
    await ensureDirectory(dirname(at.dir))
    await mkdir(at.dir, { mode: 0o700 }).catch(error => { if (!isExisting(error)) throw error })
    const [uid] = await together([
      m.uids.claim(spec.id),
      JSON.stringify(before) === JSON.stringify(spec) ? undefined : writeSpec(at, spec),
      ctx.span('hypervisor.disk', () => ensureDisk(at, spec.rootDisk)),
      ensureConfigDrive(at, spec.configDrive),
    ])
    await bringUp(m, ctx, spec, uid)
  } catch (error) {
    // A first attempt that failed leaves nothing but the uid, which the taps belong to already; what was there before stays.
    if (!before) await absent(m, spec.id, { keepUid: true }).catch(cause => m.log.error({ instance: spec.id, error: String(cause) }, 'a failed start could not be cleaned up'))
    throw diskFault(error)
  }
}

/** Starts what is stopped, resumes what is suspended. */
export async function bringUp(m: Machine, ctx: Context, spec: InstanceSpec, uid: number): Promise<Live> {
  const at = layout(m, spec.id), state = await readState(at)
  if (state.power === 'suspended') return resume(m, ctx, spec.id)
  const shape = shapeOf(m, spec)
  // Written before anything can run: a control plane that dies now finds out by this that something may.
  await writeState(at, { power: 'running', shape })
  try {
    const live = await ctx.span('hypervisor.start', () => launch(m, { id: spec.id, uid, shape, base: spec.rootDisk.base, incoming: false, state: { power: 'running' } }))
    follow(m, live)
    return live
  } catch (error) {
    await writeState(at, { power: 'crashed', reason: isFault(error) ? error.message : 'it could not be started' }).catch(() => {})
    throw error
  }
}
