// Microsoft's disks: VHD (QEMU's vpc) and VHDX. https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-vhdx
import { KIB } from '#base/units.ts'
import { sized } from './header.ts'
import type { Finding, Format, Header } from './header.ts'

const differencing = 4

/** Dynamic VHDs begin with a copy of their footer. A fixed one has it only at its end and looks raw from here. */
export const vhd: Format = {
  name: 'vhd',
  matches: header => header.has(0, 'conectix'),
  read(header) {
    const kind = header.u32be(60)
    header.slice(0, 512)
    const problems = kind === differencing ? ['has a parent (backing) file'] : kind === 2 || kind === 3 ? [] : [`has the unknown kind ${kind}`]
    return sized(header.u64be(48), problems)
  },
}

const metadataRegion = '06a27c8b90479a4bb8fe575f050f886e'
const diskSizeItem = '2442a52f1bcd7648b2115dbed83bf4b8'
const parametersItem = '3767a1ca36fa434db3b633f0aa44e76b'
const parentItem = '2d5fd3a80bb34d45abf7d3d84834ab0c'
const mostEntries = 2047

interface Entry { id: string, at: number }

/** Entries of 32 bytes, each beginning with the 16 bytes of an id. */
const entries = (header: Header, first: number, count: number): Entry[] =>
  Array.from({ length: count }, (_x, i) => ({ id: header.slice(first + i * 32, 32).toString('hex', 0, 16), at: first + i * 32 }))

function readVhdx(header: Header): Finding {
  const table = 192 * KIB
  if (!header.has(table, 'regi')) return { problems: ['has no region table'] }
  const regions = header.u32le(table + 8)
  if (regions > mostEntries) return { problems: ['has too many regions'] }
  const region = entries(header, table + 16, regions).find(entry => entry.id === metadataRegion)
  if (!region) return { problems: ['has no metadata'] }
  const base = Number(header.u64le(region.at + 16))
  if (header.slice(base, 32).toString('latin1', 0, 8) !== 'metadata') return { problems: ['has no metadata where it says'] }
  const count = header.u16le(base + 10)
  if (count > mostEntries) return { problems: ['has too many items of metadata'] }
  const items = new Map(entries(header, base + 32, count).map(entry => [entry.id, base + header.u32le(entry.at + 16)]))
  const parameters = items.get(parametersItem), size = items.get(diskSizeItem)
  if (parameters === undefined || size === undefined) return { problems: ['lacks metadata it must have'] }
  const problems = items.has(parentItem) || (header.u32le(parameters + 4) & 2) !== 0 ? ['has a parent (backing) file'] : []
  return sized(header.u64le(size), problems)
}

export const vhdx: Format = { name: 'vhdx', matches: header => header.has(0, 'vhdxfile'), read: readVhdx }
