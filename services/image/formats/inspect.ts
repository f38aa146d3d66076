// What an image is, by its first bytes alone. Pure, bounded: nothing is opened, followed or executed, and any bytes at all give an answer.
// Our own rather than qemu-img's probing, which has opened files of the host that a header named. Accepts and refuses what glance's inspector does,
// and a little less: https://docs.openstack.org/api-ref/image/v2/#upload-binary-image-data
import { unsupportedMediaType } from '#base/errors.ts'
import { MIB } from '#base/units.ts'
import { CutOff, Header } from './header.ts'
import type { Finding, Format } from './header.ts'
import { vhd, vhdx } from './hyper-v.ts'
import { hasPartitions, iso, luks, ploop, vdi } from './others.ts'
import { banned, qcow2 } from './qcow2.ts'
import { vmdk } from './vmdk.ts'

/** How much of the beginning is looked at: VHDX as qemu-img writes it has what counts behind the third MiB. Fewer bytes are fine when the image is shorter. */
export const inspectBytes = 3.25 * MIB

/** What the first bytes are. */
export interface Inspection extends Finding {
  /** Glance's name for what was found; 'raw' when it is nothing else. */
  format: string
  /** It begins as a disk with partitions does, so a CD is a raw disk as well. */
  partitions: boolean
}

const formats: readonly Format[] = [qcow2, vmdk, vhd, vhdx, vdi, ploop, luks, iso, ...banned]

/** Says what the bytes are. Never throws. */
export function inspect(firstBytes: Buffer): Inspection {
  const bytes = firstBytes.subarray(0, inspectBytes)
  const header = new Header(bytes)
  const partitions = hasPartitions(bytes)
  const found = formats.filter(format => format.matches(header))
  const [format] = found
  if (!format) return { format: 'raw', problems: [], partitions }
  if (found.length > 1) return { format: found.map(each => each.name).join(' and '), problems: ['is of more than one format at once'], partitions }
  try {
    return { format: format.name, ...format.read(header), partitions }
  } catch (error) {
    if (error instanceof CutOff) return { format: format.name, problems: ['has a header that is cut off or points beyond what can be checked'], partitions }
    throw error
  }
}

/** What was declared: which contents pass for it. The Amazon ones are file systems, kernels and initial ram disks. */
const passesFor = (declared: string, { format, partitions }: Inspection): boolean => {
  if (format === declared) return true
  if (declared === 'raw') return format === 'luks' || (format === 'iso' && partitions)
  return ['ami', 'aki', 'ari'].includes(declared) && format === 'raw'
}

/** Throws unsupportedMediaType when the content is not what `declared` (the image's disk_format) says, or must not be used. */
export function refuse(declared: string, seen: Inspection): void {
  if (!passesFor(declared, seen)) {
    const hint = declared === 'vhd' && seen.format === 'raw' ? ' (a VHD of fixed size is not accepted: convert it)' : ''
    throw unsupportedMediaType(`Image content does not match its disk_format: ${declared} was declared, ${seen.format} was found${hint}`, { type: 'ImageFormatMismatch' })
  }
  if (seen.problems.length > 0) throw unsupportedMediaType(`The ${seen.format} image is not accepted: it ${seen.problems.join('; it ')}`, { type: 'ImageNotSafe' })
}
