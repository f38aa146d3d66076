// qcow2 (https://www.qemu.org/docs/master/interop/qcow2.html): refused when opening it would open another file, or when QEMU could not open it at all.
import { sized } from './header.ts'
import type { Format } from './header.ts'

const magic = 'QFI\xfb'
/** Incompatible features by bit: dirty and compression type are harmless; from bit 4 on they are unknown to the other services that will read the image. */
const dirty = 1n << 0n, corrupt = 1n << 1n, dataFile = 1n << 2n, compression = 1n << 3n
const dataFileName = 0x44415441

export const qcow2: Format = {
  name: 'qcow2',
  matches: header => header.has(0, magic),
  read(header) {
    const problems: string[] = []
    const version = header.u32be(4)
    if (version !== 2 && version !== 3) return { problems: [`has the version ${version} of the qcow format, not 2 or 3`] }
    if (header.u64be(8) !== 0n || header.u32be(16) !== 0) problems.push('has a backing file')
    const clusterBits = header.u32be(20)
    if (clusterBits < 9 || clusterBits > 21) problems.push(`has clusters of a size that does not exist (2^${clusterBits})`)
    if (header.u32be(32) !== 0) problems.push('is encrypted')
    header.slice(0, 72)
    if (version === 3) {
      const features = header.u64be(72)
      if (features & dataFile) problems.push('has an external data file')
      if (features & corrupt) problems.push('is marked as corrupt')
      if (features & ~(dirty | corrupt | dataFile | compression)) problems.push('needs features that are not known here')
      const length = header.u32be(100)
      if (length < 104 || length % 8 !== 0 || length > 2 ** Math.min(Math.max(clusterBits, 9), 21)) problems.push('has a header of an impossible length')
      // The list of extensions ends with type 0 and lies in the first cluster; each step is at least 8 bytes, so this ends.
      else for (let at = length; at + 8 <= Math.min(header.length, 65_536) && header.u32be(at) !== 0; at += 8 + Math.ceil(header.u32be(at + 4) / 8) * 8) {
        if (header.u32be(at) === dataFileName) { problems.push('names an external data file'); break }
      }
    }
    return sized(header.u64be(24), problems)
  },
}

/** Formats we know only to refuse them by name. */
export const banned: Format[] = [
  { name: 'qed', matches: header => header.has(0, 'QED\0'), read: () => ({ problems: ['is of a format nobody uses any more'] }) },
]
