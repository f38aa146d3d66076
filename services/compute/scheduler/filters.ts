// What makes a host unfit, one small function each; its name and count appear in "No valid host".
import type { SelectRequest } from '../bus.ts'

export interface Candidate {
  host: string
  providerId: string
  free: Record<string, number>
  up: boolean
  disabled: boolean
  zone: string
  traits: string[]
  /** Members of the request's server group on this host. */
  groupMembers: number
}

export interface Filter { name: string, passes(c: Candidate, request: SelectRequest): boolean }

export const filters: Filter[] = [
  { name: 'NotTriedYet', passes: (c, r) => !r.exclude.includes(c.host) },
  { name: 'ComputeUp', passes: (c) => c.up },
  { name: 'ComputeEnabled', passes: (c, r) => !c.disabled || r.forced === true },
  { name: 'AvailabilityZone', passes: (c, r) => r.availabilityZone === undefined || c.zone === r.availabilityZone },
  { name: 'RequestedHost', passes: (c, r) => (r.host === undefined || c.host === r.host) && (r.hypervisorHostname === undefined || c.host === r.hypervisorHostname) },
  { name: 'DifferentHost', passes: (c, r) => !hostsOf(r.schedulerHints.different_host_names).includes(c.host) },
  { name: 'ServerGroupAntiAffinity', passes: (c, r) => r.group?.policy !== 'anti-affinity' || c.groupMembers < (r.group.maxServerPerHost ?? 1) },
  { name: 'RequiredTraits', passes: (c, r) => requiredTraits(r).every((trait) => c.traits.includes(trait)) },
]

const hostsOf = (hint: unknown): string[] => (hint === undefined ? [] : [hint].flat().map(String))

/** `trait:NAME=required` in a flavor's extra specs. */
export const requiredTraits = (r: Pick<SelectRequest, 'flavor'>): string[] =>
  Object.entries(r.flavor.extraSpecs).filter(([key, value]) => key.startsWith('trait:') && value === 'required').map(([key]) => key.slice(6))

/** Heavier is better: spread by free memory, keep soft-affinity groups together or apart. */
export function weigh(c: Candidate, r: SelectRequest): number {
  const apart = r.group?.policy === 'soft-anti-affinity' ? -1e9 : r.group?.policy === 'soft-affinity' ? 1e9 : 0
  return (c.free.MEMORY_MB ?? 0) + apart * c.groupMembers
}
