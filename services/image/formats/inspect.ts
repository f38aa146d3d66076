// What an image's first bytes say it is. Bounded: nothing beyond the given bytes is looked at, and every offset is checked.
// Refused is what would make a host open other files: backing files, data files, descriptors with paths.
import { badRequest } from '#base/errors.ts'
import { KIB } from '#base/units.ts'

/** How much of an image is looked at: enough for an ISO's first descriptor and a VMDK's embedded one. */
export const inspectBytes = 128 * KIB

export interface Inspected {
  format: 'raw' | 'qcow2' | 'qed' | 'vmdk' | 'vdi' | 'vhd' | 'vhdx' | 'iso' | 'luks' | 'ploop'
  virtualSize?: number
  /** Why it may not be used whatever was declared. */
  problem?: string
}

const text = (bytes: Buffer, at: number, length: number): string => bytes.subarray(at, at + length).toString('latin1')
const has = (bytes: Buffer, at: number, magic: string): boolean => bytes.length >= at + magic.length && text(bytes, at, magic.length) === magic
const size64 = (bytes: Buffer, at: number, little = false): number => (bytes.length < at + 8 ? 0 : Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at)))

/** https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.txt */
function qcow2(bytes: Buffer): Inspected {
  if (bytes.length < 72) return { format: 'qcow2', problem: 'its header is cut off' }
  const version = bytes.readUInt32BE(4), virtualSize = size64(bytes, 24)
  if (version !== 2 && version !== 3) return { format: 'qcow2', problem: `version ${version} is unknown` }
  if (size64(bytes, 8) !== 0) return { format: 'qcow2', virtualSize, problem: 'it refers to a backing file' }
  if (bytes.readUInt32BE(32) !== 0) return { format: 'qcow2', virtualSize, problem: 'it is encrypted' }
  if (version === 3) {
    if (bytes.length < 104) return { format: 'qcow2', virtualSize, problem: 'its header is cut off' }
    const incompatible = bytes.readBigUInt64BE(72)
    if ((incompatible & 4n) !== 0n) return { format: 'qcow2', virtualSize, problem: 'it refers to a data file' }
    // Dirty, corrupt, compression type and extended L2 are known; what is not may mean anything.
    if ((incompatible & ~0b11011n) !== 0n) return { format: 'qcow2', virtualSize, problem: 'it uses unknown features' }
  }
  return { format: 'qcow2', virtualSize }
}

/** A sparse VMDK with its descriptor inside; the kinds that hold all their bytes in the one file. */
function vmdk(bytes: Buffer): Inspected {
  const sectors = size64(bytes, 12, true), at = size64(bytes, 28, true) * 512, length = size64(bytes, 36, true) * 512
  const virtualSize = sectors * 512
  if (at === 0 || length === 0 || at + length > bytes.length || length > 64 * KIB) return { format: 'vmdk', virtualSize, problem: 'its descriptor is not where it should be' }
  const descriptor = text(bytes, at, length).replace(/\0+$/, '')
  const type = /^createType="([^"]*)"/m.exec(descriptor)?.[1]
  if (type !== 'monolithicSparse' && type !== 'streamOptimized') return { format: 'vmdk', virtualSize, problem: `its type ${type ?? '(none)'} is not allowed` }
  const extents = descriptor.split('\n').filter((line) => /^(RW|RDONLY|NOACCESS)\s/.test(line))
  if (extents.length !== 1 || !/^RW\s+\d+\s+SPARSE\s+"[^"/\\]*"\s*$/.test(extents[0]!) || /^parentFileNameHint/m.test(descriptor)) return { format: 'vmdk', virtualSize, problem: 'it refers to other files' }
  return { format: 'vmdk', virtualSize }
}

/** What the bytes are. Whatever has no known header is raw. */
export function inspect(bytes: Buffer): Inspected {
  if (has(bytes, 0, 'QFI\xfb')) return qcow2(bytes)
  if (has(bytes, 0, 'QED\0')) return { format: 'qed', problem: 'QED is not supported' }
  if (has(bytes, 0, 'KDMV')) return vmdk(bytes)
  if (/^# ?Disk DescriptorFile/i.test(text(bytes, 0, 22))) return { format: 'vmdk', problem: 'it is a descriptor that refers to other files' }
  if (bytes.length >= 0x178 && bytes.readUInt32LE(0x40) === 0xbeda107f) return { format: 'vdi', virtualSize: size64(bytes, 0x170, true) }
  if (has(bytes, 0, 'conectix')) return { format: 'vhd', virtualSize: size64(bytes, 48) }
  if (has(bytes, 0, 'vhdxfile')) return { format: 'vhdx' }
  if (has(bytes, 0, 'LUKS\xba\xbe')) return { format: 'luks', problem: 'LUKS containers are not supported' }
  if (has(bytes, 0, 'WithoutFreeSpace') || has(bytes, 0, 'WithouFreSpacExt')) return { format: 'ploop' }
  if (has(bytes, 0x8001, 'CD001')) return { format: 'iso' }
  return { format: 'raw' }
}

/** Throws unless the bytes are what was declared and refer to nothing else. */
export function refuse(declared: string, seen: Inspected): void {
  if (seen.problem) throw badRequest(`The image is refused: ${seen.problem}.`)
  // The parts of an AMI are plain bytes to us; an ISO may well be given as a raw disk.
  const fits = seen.format === declared || (['ami', 'ari', 'aki'].includes(declared) && seen.format === 'raw') || (declared === 'raw' && seen.format === 'iso')
  if (!fits) throw badRequest(`The image is refused: it was declared as ${declared} but its content is ${seen.format}.`)
}
