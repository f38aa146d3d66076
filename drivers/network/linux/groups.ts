// Address groups as nftables sets, which ports' rules name: a member that comes or goes is one element, and no port's rules change. Pure text.
//
// A group is four sets, two for each IP version: single addresses, where an element is found and changed without a look at the others, and ranges, which are
// few (allowed address pairs) and replaced whole: a range may not overlap with one that goes in the same transaction.
import type { AddressGroupSpec, PortSpec } from '#drivers/network/contract.ts'
import { formatCidr, mergeCidrs, parseCidr } from './addresses.ts'
import { short } from './names.ts'

const versions = [4, 6] as const
type Version = typeof versions[number]

export const setNames = (groupId: string, version: Version): { single: string, ranges: string } =>
  ({ single: `group${version}_${short(groupId)}`, ranges: `ranges${version}_${short(groupId)}` })

/** A group's elements by the name of their set. */
export type GroupElements = Record<string, Set<string>>

/** Throws badRequest for what is no address. */
export const groupElements = ({ id, addresses }: AddressGroupSpec): GroupElements => {
  const all = addresses.map(parseCidr)
  return Object.fromEntries(versions.flatMap(version => {
    const whole = version === 4 ? 32 : 128, own = all.filter(cidr => cidr.version === version), { single, ranges } = setNames(id, version)
    return [
      [single, new Set(own.filter(cidr => cidr.length === whole).map(formatCidr))],
      [ranges, new Set(mergeCidrs(own.filter(cidr => cidr.length < whole).map(formatCidr)).map(formatCidr))],
    ]
  }))
}

const declaration = (name: string): string => `set ${name} { type ipv${name.includes('6_') ? 6 : 4}_addr;${name.startsWith('ranges') ? ' flags interval;' : ''} `
const elements = (verb: 'add' | 'delete', name: string, list: Iterable<string>): string => {
  const text = [...list].join(', ')
  return text === '' ? '' : `${verb} element inet pileus ${name} { ${text} }\n`
}
const isRanges = (name: string): boolean => name.startsWith('ranges')

/** The sets as parts of the table's text. A group that a port names and nobody remembers is empty: it lets nobody in, and the table can stand. */
export const groupSets = (groups: Iterable<AddressGroupSpec>, ports: Iterable<PortSpec>): string => {
  const sets: GroupElements = {}
  for (const { rules } of ports) for (const { remoteGroup: id } of rules) if (id !== undefined) Object.assign(sets, groupElements({ id, addresses: [] }))
  for (const group of groups) Object.assign(sets, groupElements(group))
  return Object.entries(sets).map(([name, list]) => `  ${declaration(name)}${list.size === 0 ? '' : `elements = { ${[...list].join(', ')} }; `}}\n`).join('')
}

/** One transaction that brings the sets to `wanted`; `before` is what they hold, undefined if nobody knows. */
export const putGroup = (wanted: GroupElements, before: GroupElements | undefined): string => Object.entries(wanted).map(([name, list]) => {
  const had = before?.[name]
  if (had !== undefined && list.symmetricDifference(had).size === 0) return ''
  if (had === undefined || isRanges(name)) return `add ${declaration(name).replace(' ', ' inet pileus ')}}\nflush set inet pileus ${name}\n${elements('add', name, list)}`
  return elements('delete', name, had.difference(list)) + elements('add', name, list.difference(had))
}).join('')

/** The sets taken away, whether they are there or not. */
export const dropGroup = (groupId: string): string => versions.flatMap(version => Object.values(setNames(groupId, version)))
  .map(name => `add ${declaration(name).replace(' ', ' inet pileus ')}}\ndelete set inet pileus ${name}\n`).join('')
