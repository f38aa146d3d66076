// VMDK: one file, its data inside (monolithicSparse; streamOptimized, as VMware exports disks), the kinds that glance takes. All others name files beside them.
// A streamOptimized disk says once more at its end, out of our sight, where its tables are: who reads it believes that of places within the file, but reads the
// descriptor, which could name other files, where we did.
import { largestDiskBytes, sized } from './header.ts'
import type { Finding, Format, Header } from './header.ts'

const descriptorAtSector = 1n
const mostDescriptorBytes = 2 ** 20 - 1
const noParent = 'ffffffff'

const kinds = ['monolithicsparse', 'streamoptimized']
const tableAtEnd = 0xffff_ffff_ffff_ffffn

/** The descriptor is text, a line each: comments, disk database, `name=value`, and the extents. A line that is none of these is refused, for QEMU may read it otherwise. */
function describe(text: string, atEnd: boolean): string[] {
  const problems: string[] = []
  const fields = new Map<string, string>()
  const extents: string[] = []
  // QEMU looks for these words anywhere, comments included.
  if (/parentfilenamehint/i.test(text)) problems.push('has a parent (backing) file')
  if (text.split(/createtype/i).length > 2) problems.push('says createType twice')
  for (const line of text.split('\n').map(raw => raw.trim())) {
    if (line === '' || line.startsWith('#') || /^ddb\./i.test(line)) continue
    // No two parts of the pattern may take the same characters: a hostile line must not make it try every way.
    const field = /^([A-Za-z0-9_.]{1,64}) ?= ?("[^"]*"|[^"\s]*)$/.exec(line)
    if (field) {
      const name = field[1]!.toLowerCase()
      if (fields.has(name)) problems.push(`says ${name} twice`)
      fields.set(name, field[2]!.replaceAll('"', '').trim().toLowerCase())
    } else if (/^(rw|rdonly|noaccess)\s/i.test(line)) extents.push(line)
    else return ['has a descriptor with a line that is not understood']
  }
  const kind = fields.get('createtype') ?? 'unknown'
  if (!kinds.includes(kind)) problems.push(`is a VMDK of the type ${/^[a-z0-9]{1,40}$/.test(kind) ? kind : 'unknown'}; only monolithicSparse and streamOptimized are accepted`)
  else if (atEnd && kind !== 'streamoptimized') problems.push('keeps its table at the end, as only streamOptimized may')
  if ((fields.get('parentcid') ?? noParent) !== noParent) problems.push('has a parent (backing) file')
  if (extents.length !== 1) problems.push(`names ${extents.length} extents instead of one`)
  for (const extent of extents) {
    const parts = /^rw\s+\d{1,19}\s+sparse\s+"([^"]*)"$/i.exec(extent)
    if (!parts) problems.push('has an extent that is not kept in the image itself')
    else if (/[/\\]/.test(parts[1]!) || parts[1]!.startsWith('.')) problems.push('has an extent with a path')
  }
  return problems
}

function read(header: Header): Finding {
  if (!header.has(0, 'KDMV')) return { problems: [header.has(0, 'COWD') ? 'is of the old ESX sparse kind' : 'is only a descriptor, which names other files'] }
  const problems: string[] = []
  const version = header.u32le(4)
  if (version < 1 || version > 3) return { problems: [`has the unknown version ${version}`] }
  const sectors = header.u64le(12)
  // QEMU then takes the descriptor for the whole of it.
  if (sectors === 0n) return { problems: ['has no data of its own'] }
  const at = header.u64le(28), length = header.u64le(36)
  if (at !== descriptorAtSector || length === 0n) return { problems: ['has no descriptor where it belongs'] }
  if (length * 512n > BigInt(mostDescriptorBytes)) return { problems: ['has a descriptor that is too long'] }
  const bytes = header.slice(512, Number(length) * 512)
  const end = bytes.indexOf(0)
  const text = bytes.toString('latin1', 0, end === -1 ? bytes.length : end)
  // Bytes behind the first zero: some readers go on there.
  if (end !== -1 && bytes.subarray(end).some(byte => byte !== 0)) problems.push('hides something behind its descriptor')
  if (/[^\x09\x0a\x0d\x20-\x7e]/.test(text)) problems.push('has a descriptor that is not plain text')
  else problems.push(...describe(text, header.u64le(56) === tableAtEnd))
  return sized(sectors > BigInt(largestDiskBytes) ? sectors : sectors * 512n, problems)
}

export const vmdk: Format = {
  name: 'vmdk',
  matches: header => header.has(0, 'KDMV') || header.has(0, 'COWD') || /^\s*#\s*disk descriptor\s*file/i.test(header.slice(0, Math.min(512, header.length)).toString('latin1')),
  read,
}
