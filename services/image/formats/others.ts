// VDI, ploop, LUKS and ISO 9660: formats of one short header each.
import { sized } from './header.ts'
import type { Format } from './header.ts'

const vdiDynamic = 1, vdiFixed = 2

/** VirtualBox's. Undo and differencing disks refer to another image. */
export const vdi: Format = {
  name: 'vdi',
  matches: header => header.has(0x40, '\x7f\x10\xda\xbe'),
  read(header) {
    header.slice(0, 512)
    const kind = header.u32le(0x4c)
    const problems = kind === vdiDynamic || kind === vdiFixed ? [] : ['depends on another image']
    if (header.u32le(0x44) !== 0x0001_0001) problems.push('has an unknown version')
    const link = header.slice(0x1a8, 16), parent = header.slice(0x1b8, 16)
    if (problems.length === 0 && (link.some(byte => byte !== 0) || parent.some(byte => byte !== 0))) problems.push('depends on another image')
    return sized(header.u64le(0x170), problems)
  },
}

/** Parallels' and OpenVZ's. */
export const ploop: Format = {
  name: 'ploop',
  matches: header => header.has(0, 'WithoutFreeSpace') || header.has(0, 'WithouFreSpacExt'),
  read: header => sized(header.u64le(36) * 512n, []),
}

/** Encrypted, and to everybody without the key just bytes: kept as raw. */
export const luks: Format = {
  name: 'luks',
  matches: header => header.has(0, 'LUKS\xba\xbe'),
  read: header => ({ problems: header.slice(6, 2).readUInt16BE() > 2 ? ['has an unknown version'] : [] }),
}

const sector = 2048, systemArea = 16 * sector

/** ISO 9660 and UDF: volume descriptors begin behind the system area. */
export const iso: Format = {
  name: 'iso',
  matches: header => ['CD001', 'NSR02', 'NSR03', 'BEA01'].some(id => header.has(systemArea + 1, id)),
  read(header) {
    const descriptor = header.slice(systemArea, sector)
    if (!header.has(systemArea + 1, 'CD001') || descriptor[0] !== 1) return { problems: [] }
    return sized(BigInt(descriptor.readUInt32LE(80)) * BigInt(descriptor.readUInt16LE(128)), [])
  },
}

/** A disk with a partition table, or a file system's boot sector: raw by another name, and what a hybrid CD also has. */
export const hasPartitions = (bytes: Buffer): boolean =>
  bytes.length >= 512 && bytes[510] === 0x55 && bytes[511] === 0xaa || bytes.toString('latin1', 512, 520) === 'EFI PART'
