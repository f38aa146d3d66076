// What is asked for, read out of a query string: groups of resources with conditions, and conditions on the whole.
// https://docs.openstack.org/placement/latest/user/provider-tree.html
import { badRequest } from '#base/errors.ts'
import { isUuid } from '#base/ids.ts'
import type { Version } from '#kit/http/operation.ts'
import * as names from '../custom-names/store.ts'
import type { PlacementTx } from '../deps.ts'
import { dashed, maxInt } from '../fields.ts'
import { codes, failed } from '../replies.ts'
import { standardClasses } from '../resource-classes/standard.ts'
import { standardTraits } from '../traits/standard.ts'

/** Resources that belong together, with what must be true of those who serve them: a suffix of the query's keys. */
export interface Group {
  /** '' is the group whose resources may come from several providers of a tree; each other one is served by one provider. */
  suffix: string
  granular: boolean
  resources: [resourceClass: string, amount: number][]
  /** At least one of each list. */
  required: string[][]
  forbidden: string[]
  /** In at least one of each list. */
  memberOf: string[][]
  notMemberOf: string[]
  /** Any provider of the tree. */
  inTree?: string
}
/** The whole question. */
export interface CandidatesRequest {
  groups: Group[]
  /** No two granular groups are served by the same provider. */
  isolate: boolean
  /** The most candidates that are wanted; undefined: as many as a search may find. */
  limit?: number
  rootRequired: string[]
  rootForbidden: string[]
  /** Suffixes of groups whose providers have one of them above all the others; a list each. */
  sameSubtrees: string[][]
  /** Before 1.29 nobody knows of trees: no two providers of one tree in a candidate. */
  nested: boolean
}

/** More than anybody asks for; each group costs a look at every provider. */
const maxGroups = 100, maxNames = 1000
const quoted = (text: string): string => text.slice(0, 255)

function parseResources(text: string): [string, number][] {
  const malformed = (got: string): Error =>
    badRequest(`Badly formed resources parameter. Expected resources query string parameter in form: ?resources=VCPU:2,MEMORY_MB:1024. Got: ${quoted(got)}.`)
  if (text.trim() === '') throw malformed('empty string')
  const found = new Map<string, number>()
  for (const part of text.split(',')) {
    const [name, amount, ...more] = part.split(':')
    if (amount === undefined || more.length > 0) throw malformed(part)
    if (!/^\s*[+-]?\d+\s*$/.test(amount)) throw badRequest(`Requested resource ${quoted(name!)} expected positive integer amount. Got: ${quoted(amount)}.`)
    if (Number(amount) < 1) throw badRequest(`Requested resource ${quoted(name!)} requires amount >= 1. Got: ${Number(amount)}.`)
    found.set(name!, Math.min(Number(amount), maxInt + 1))
  }
  return [...found]
}

function parseTraits(text: string, forbid: boolean, anyOf: boolean): { required: string[][], forbidden: string[] } {
  const invalid = (why: string): Error => badRequest(`Invalid query string parameters: ${why}. Got: ${quoted(text)}`)
  if (text.startsWith('in:')) {
    if (!anyOf) throw invalid('The format \'in:HW_CPU_X86_VMX,CUSTOM_MAGIC\' only supported since microversion 1.39')
    const any = [...new Set(text.slice(3).split(',').map((t) => t.trim()))]
    if (any.includes('')) throw invalid('Expected \'required\' parameter value of the form: in:HW_CPU_X86_VMX,CUSTOM_MAGIC, with no empty trait')
    if (any.some((t) => t.startsWith('!'))) throw invalid('The format \'in:HW_CPU_X86_VMX,CUSTOM_MAGIC\' does not support forbidden traits')
    return { required: [any], forbidden: [] }
  }
  const all = text.split(',').map((t) => t.trim())
  const forbidden = all.filter((t) => t.startsWith('!')).map((t) => t.replace(/^!+/, ''))
  if (all.includes('') || forbidden.includes('') || (forbidden.length > 0 && !forbid)) {
    throw invalid(`Expected 'required' parameter value of the form: HW_CPU_X86_VMX,${forbid ? '!' : ''}CUSTOM_MAGIC`)
  }
  return { required: all.filter((t) => !t.startsWith('!')).map((t) => [t]), forbidden }
}

function parseMemberOf(text: string): { member?: string[], notMember: string[] } {
  const [, not, many, list] = /^(!?)(in:)?(.*)$/s.exec(text)!
  if (list!.includes(',') && !many) {
    throw badRequest(`Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword using the valid microversion. Got: ${quoted(text)}`)
  }
  const ids = list!.split(',')
  for (const id of ids) if (!isUuid(id)) throw badRequest(`Invalid query string parameters: Expected 'member_of' parameter to contain valid UUID(s). Got: ${quoted(id)}`)
  const aggregates = [...new Set(ids)]
  return not ? { notMember: aggregates } : { member: aggregates, notMember: [] }
}

/** A group's keys as they stand in the query: `required` and `memberOf` may come several times. */
export interface GroupText { resources?: string, required: string[], memberOf: string[], inTree?: string }

/** One group out of its parameters; `suffix` is in the words of refusals. Throws badRequest for what is malformed or not of this version. */
export function parseGroup(suffix: string, version: Version, text: GroupText): Group {
  if (text.memberOf.length > 1 && !version.since('1.24')) throw badRequest(`Multiple member_of${suffix} parameters are not supported`)
  const members = text.memberOf.map(parseMemberOf), notMemberOf = members.flatMap((m) => m.notMember)
  if (notMemberOf.length > 0 && !version.since('1.32')) throw badRequest(`Forbidden member_of${suffix} parameters are not supported in the specified microversion`)
  // Before 1.39 the last one counts.
  const traits = (version.since('1.39') ? text.required : text.required.slice(-1)).map((t) => parseTraits(t, version.since('1.22'), version.since('1.39')))
  const inTree = text.inTree?.trim()
  if (inTree !== undefined && !isUuid(inTree)) throw badRequest(`Invalid query string parameters: Expected 'in_tree' parameter to be a format of uuid. Got: ${quoted(inTree)}`)
  const group: Group = {
    suffix, granular: suffix !== '', resources: text.resources === undefined ? [] : parseResources(text.resources),
    required: traits.flatMap((t) => t.required), forbidden: [...new Set(traits.flatMap((t) => t.forbidden))],
    memberOf: members.flatMap((m) => (m.member ? [m.member] : [])), notMemberOf, ...(inTree !== undefined && { inTree: dashed(inTree) }),
  }
  if (group.required.flat().length + group.forbidden.length + group.memberOf.flat().length + notMemberOf.length > maxNames) {
    throw badRequest(`More than ${maxNames} traits and aggregates are asked for.`)
  }
  return group
}

/** What is required and forbidden at once no provider has; who asks for candidates is told so. */
function mustNotConflict(group: Group): void {
  const forbidden = new Set(group.forbidden)
  const conflicts = group.required.filter((any) => any.every((t) => forbidden.has(t)))
  if (conflicts.length === 0) return
  const said = conflicts.map((any) => `required${group.suffix}: (${[...any].sort().join(', ')})`).sort().join(', ')
  throw badRequest(`Conflicting required and forbidden traits found in the following traits keys: ${said}`)
}

const prefixes = ['resources', 'required', 'member_of', 'in_tree'] as const
/** The first version of each key. */
const since: Record<string, string> = {
  resources: '1.10', limit: '1.16', required: '1.17', member_of: '1.21', group_policy: '1.25', in_tree: '1.31', root_required: '1.35', same_subtree: '1.36',
}

/** What may stand behind a group's key, as a pattern: before 1.25 there are no suffixes. */
function suffixes(version: Version): string {
  if (version.since('1.33')) return '([a-zA-Z0-9_-]{1,64})?'
  return version.since('1.25') ? '([1-9][0-9]*)?' : ''
}

/** The prefix and suffix of a group's key, if the version knows it. */
function groupKey(key: string, version: Version): { prefix: (typeof prefixes)[number], suffix: string } | undefined {
  const prefix = prefixes.find((p) => key.startsWith(p)), suffix = key.slice(prefix?.length ?? 0)
  if (prefix === undefined || !version.since(since[prefix]!)) return undefined
  if (new RegExp(`^${suffixes(version)}$`).test(suffix)) return { prefix, suffix }
  return undefined
}

/** Why this version refuses a key, in the words of jsonschema. */
function strange(key: string, version: Version): string {
  const shown = `'${key.slice(0, 80)}'`
  if (!version.since('1.25')) return `Additional properties are not allowed (${shown} was unexpected)`
  const patterns = prefixes.filter((prefix) => version.since(since[prefix]!)).map((prefix) => `'^${prefix}${suffixes(version)}$'`)
  return `${shown} does not match any of the regexes: ${patterns.join(', ')}`
}

/** The question a query string asks. Throws badRequest, in placement's own words, for what is malformed, contradicts itself or is not of this version. */
export function parseCandidatesRequest(search: URLSearchParams, version: Version): CandidatesRequest {
  const texts = new Map<string, GroupText>()
  for (const key of new Set(search.keys())) {
    const group = groupKey(key, version)
    if (!group) {
      if (['limit', 'group_policy', 'root_required', 'same_subtree'].includes(key) && version.since(since[key]!)) continue
      throw badRequest(`Invalid query string parameters: ${strange(key, version)}${failed('additionalProperties')}`)
    }
    let text = texts.get(group.suffix)
    if (!text) texts.set(group.suffix, text = { required: [], memberOf: [] })
    const values = search.getAll(key)
    if (group.prefix === 'resources') text.resources = values.at(-1)!
    else if (group.prefix === 'in_tree') text.inTree = values.at(-1)!
    else text[group.prefix === 'required' ? 'required' : 'memberOf'] = values
  }
  if (texts.size > maxGroups) throw badRequest(`More than ${maxGroups} request groups are asked for.`)
  const limit = search.get('limit') ?? undefined
  if (limit !== undefined && !/^[1-9][0-9]*$/.test(limit)) {
    throw badRequest(`Invalid query string parameters: '${quoted(limit)}' does not match '^[1-9][0-9]*$'${failed('pattern', ['limit'])}`)
  }
  const policy = search.get('group_policy') ?? undefined
  if (policy !== undefined && policy !== 'none' && policy !== 'isolate') {
    throw badRequest(`Invalid query string parameters: '${quoted(policy)}' is not one of ['none', 'isolate']${failed('enum', ['group_policy'])}`)
  }

  const root = search.getAll('root_required')
  if (root.length > 1) throw badRequest('Query parameter \'root_required\' may be specified only once.', { type: codes.duplicateKey })
  const rootTraits = root.length > 0 ? parseTraits(root[0]!, true, false) : { required: [], forbidden: [] }
  const rootConflicts = rootTraits.required.flat().filter((t) => rootTraits.forbidden.includes(t))
  if (rootConflicts.length > 0) throw badRequest(`Conflicting required and forbidden traits found in root_required: ${rootConflicts.join(', ')}`, { type: codes.badValue })
  const sameSubtrees = search.getAll('same_subtree').map((text) => [...new Set(text.split(',').map((s) => s.trim()))])
  if (sameSubtrees.some((suffixes) => suffixes.includes(''))) throw badRequest('Empty string (unsuffixed group) can not be specified in `same_subtree`', { type: codes.badValue })

  const groups = [...texts].map(([suffix, text]) => parseGroup(suffix, version, text))
  for (const group of groups) mustNotConflict(group)
  const empty = groups.filter((g) => g.resources.length === 0).map((g) => g.suffix)
  if (!version.since('1.25') && groups.length === 0) throw badRequest('Invalid query string parameters: \'resources\' is a required property')
  if (version.since('1.36')) {
    const named = new Set(sameSubtrees.flat())
    if (empty.length === groups.length) throw badRequest('There must be at least one resources or resources[$S] parameter.', { type: codes.missingValue })
    const stray = empty.filter((s) => !named.has(s))
    if (stray.length > 0) {
      throw badRequest(`Resourceless suffixed group request should be specified in \`same_subtree\` query param: bad group(s) - ${stray.join(', ')}.`, { type: codes.badValue })
    }
    const unreal = [...named].filter((s) => !texts.has(s))
    if (unreal.length > 0) {
      const known = [...texts.keys()].join(', ')
      throw badRequest(`Real suffixes should be specified in \`same_subtree\`: ${quoted(unreal.join(', '))} not found in ${known}.`, { type: codes.badValue })
    }
  } else {
    const orphans = (what: string, has: (g: Group) => boolean): string =>
      groups.filter((g) => g.resources.length === 0 && has(g)).map((g) => what + g.suffix).join(', ')
    const traits = orphans('required', (g) => g.required.length > 0)
    const members = orphans('member_of', (g) => g.memberOf.length + g.notMemberOf.length > 0)
    if (traits) throw badRequest(`All traits parameters must be associated with resources.  Found the following orphaned traits keys: ${traits}`)
    if (members) throw badRequest(`All member_of parameters must be associated with resources. Found the following orphaned member_of keys: ${members}`)
    if (empty.length > 0) throw badRequest('All request groups must specify resources.')
    if (groups.length === 0) throw badRequest('At least one request group (`resources` or `resources{$S}`) is required.')
  }
  if (policy === undefined && groups.filter((g) => g.granular).length > 1) {
    throw badRequest('The "group_policy" parameter is required when specifying more than one "resources{N}" parameter.')
  }
  return {
    groups, isolate: policy === 'isolate', ...(limit !== undefined && { limit: Number(limit) }), rootRequired: rootTraits.required.flat(),
    rootForbidden: rootTraits.forbidden, sameSubtrees, nested: version.since('1.29'),
  }
}

/** Refuses names of resource classes and traits that do not exist. */
export async function mustKnow(tx: PlacementTx, groups: Group[], traits: string[] = []): Promise<void> {
  const [unknownClass] = await names.unknown(tx, 'resourceClass', groups.flatMap((g) => g.resources.map(([name]) => name)), standardClasses)
  if (unknownClass !== undefined) throw badRequest(`Invalid resource class in resources parameter: No such resource class ${quoted(unknownClass)}.`)
  const unknownTraits = await names.unknown(tx, 'trait', [...traits, ...groups.flatMap((g) => [...g.required.flat(), ...g.forbidden])], standardTraits)
  if (unknownTraits.length > 0) throw badRequest(`Invalid trait(s) in "required" parameter: No such trait(s): ${quoted(unknownTraits.join(', '))}.`)
}
