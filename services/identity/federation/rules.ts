// The mapping language: what a provider said of somebody, turned into who that is here. Nothing here reads or writes anything.
// https://docs.openstack.org/keystone/latest/admin/federation/mapping_combinations.html
import { badRequest } from '#base/errors.ts'
import { exact, lenient, Type, type Static } from '#kit/http/schema.ts'
import { BadPattern, OutOfFuel, patternOf, type Fuel } from './pattern.ts'

const text = Type.String({ maxLength: 1024 })
const domain = exact({ id: Type.Optional(text), name: Type.Optional(text) })
const condition = exact({
  type: Type.String({ minLength: 1, maxLength: 255 }), regex: Type.Optional(Type.Boolean()),
  any_one_of: Type.Optional(Type.Array(text, { maxItems: 500 })), not_any_of: Type.Optional(Type.Array(text, { maxItems: 500 })),
  blacklist: Type.Optional(Type.Array(text, { maxItems: 500 })), whitelist: Type.Optional(Type.Array(text, { maxItems: 500 })),
})
const projectOf = exact({ name: text, roles: Type.Array(exact({ name: text }), { maxItems: 50 }), domain: Type.Optional(domain) })
const local = exact({
  user: Type.Optional(exact({
    id: Type.Optional(text), name: Type.Optional(text), email: Type.Optional(text), domain: Type.Optional(domain),
    type: Type.Optional(Type.Union([Type.Literal('ephemeral'), Type.Literal('local')])),
  })),
  group: Type.Optional(Type.Union([exact({ id: text }), exact({ name: text, domain })])),
  groups: Type.Optional(text), group_ids: Type.Optional(text), domain: Type.Optional(domain),
  projects: Type.Optional(Type.Array(projectOf, { maxItems: 100 })), projects_json: Type.Optional(text),
})
/** A mapping's rules, as https://docs.openstack.org/keystone/latest/admin/federation/mapping_combinations.html has them. */
export const rulesSchema = Type.Array(
  exact({ local: Type.Array(local, { maxItems: 100 }), remote: Type.Array(condition, { minItems: 1, maxItems: 100 }) }),
  { minItems: 1, maxItems: 200 },
)
export type Rules = Static<typeof rulesSchema>
type Condition = Static<typeof condition>
type Local = Static<typeof local>
/** A domain by its id or its name. */
export type DomainRef = Static<typeof domain>

const schemaVersions = ['1.0', '2.0', '3.0'] as const
export type SchemaVersion = typeof schemaVersions[number]
export interface Mapping { id: string, rules: Rules, schemaVersion: SchemaVersion }

/** What a provider said: every attribute is a list. Its size was bounded by whoever read it. */
export type Assertion = ReadonlyMap<string, readonly string[]>

/** What the rules make of an assertion. */
export interface Mapped {
  user: { id?: string, name?: string, email?: string, domain?: DomainRef, type: 'ephemeral' | 'local' }
  groupIds: string[]
  groups: { name: string, domain: DomainRef }[]
  projects: { name: string, roles: { name: string }[], domain?: DomainRef }[]
}

/** Nobody is to be let in by this mapping; why is for the log. */
export class Unmapped extends Error {}

const filters = ['any_one_of', 'not_any_of', 'blacklist', 'whitelist'] as const

function checkPattern(pattern: string): void {
  try { patternOf(pattern) } catch (error) {
    if (!(error instanceof BadPattern)) throw error
    throw badRequest(`The regular expression '${pattern.slice(0, 100)}' cannot be used: ${error.message}.`)
  }
}
/** What the schema cannot say. Throws the 400. */
export function checkRules(rules: Rules, version: SchemaVersion): void {
  for (const rule of rules) {
    for (const remote of rule.remote) {
      const named = filters.filter((f) => remote[f] !== undefined)
      if (named.length > 1) throw badRequest(`The condition on ${remote.type} may have one of ${named.join(', ')}.`)
      if (remote.regex === undefined) continue
      if (named.length === 0) throw badRequest(`The condition on ${remote.type} has 'regex' and nothing it speaks of.`)
      if (remote.regex) for (const pattern of remote[named[0]!]!) checkPattern(pattern)
    }
    for (const each of rule.local) {
      if (each.projects_json !== undefined && version !== '3.0') throw badRequest('Additional properties are not allowed (\'projects_json\' was unexpected)')
      if (version === '1.0' && each.projects?.some((p) => p.domain)) throw badRequest('Additional properties are not allowed (\'domain\' was unexpected)')
    }
  }
}

/** How much looking a login may cost: some tenths of a second. */
const fuelOfALogin = 5_000_000

/** Who somebody is by the rules that fit him. Throws Unmapped. */
export function applyRules(mapping: Mapping, assertion: Assertion): Mapped {
  const fuel: Fuel = { left: fuelOfALogin }
  try {
    const found = mapping.rules.flatMap((rule) => {
      const values = fits(rule.remote, assertion, fuel)
      return values ? rule.local.map((each) => ({ each, values })) : []
    })
    if (found.length === 0) throw new Unmapped('no rule fits')
    return gather(found, mapping.schemaVersion)
  } catch (error) {
    throw error instanceof OutOfFuel ? new Unmapped('the regular expressions take too long') : error
  }
}

type Values = readonly (readonly string[])[]

/** The values for {0}, {1} …; undefined when the rule does not fit. */
function fits(remote: Condition[], assertion: Assertion, fuel: Fuel): Values | undefined {
  const out: (readonly string[])[] = []
  for (const condition of remote) {
    const values = assertion.get(condition.type)
    if (!values || values.length === 0) return undefined
    const filter = filters.find((f) => condition[f] !== undefined)
    if (!filter) { out.push(values); continue }
    const wanted = condition[filter]!, patterns = condition.regex ? wanted.map(patternOf) : undefined, words = new Set(wanted)
    const matched = values.filter((v) => (patterns ? patterns.some((p) => p.found(v, fuel)) : words.has(v)))
    if (filter === 'any_one_of') { if (matched.length === 0) return undefined }
    else if (filter === 'not_any_of') { if (matched.length > 0) return undefined }
    else out.push(filter === 'whitelist' ? matched : values.filter((v) => !matched.includes(v)))
  }
  return out
}

const placeholder = /\{\{|\}\}|\{(\d{1,3})\}/g
const valuesAt = (values: Values, index: number): readonly string[] => {
  const found = values[index]
  if (!found) throw new Unmapped(`a rule names {${index}}, and its conditions give no such value`)
  return found
}

/** A template that stands for one text. */
function one(template: string, values: Values): string {
  return template.replace(placeholder, (all, index: string | undefined) => {
    if (index === undefined) return all[0]!
    const found = valuesAt(values, Number(index))
    // keystone would write a list's notation into the name; two spellings of somebody are nobody.
    if (found.length !== 1) throw new Unmapped(`{${index}} has ${found.length} values where one is needed`)
    return found[0]!
  })
}

/** A template that stands for several: `{0}` for all values, or a list as Python writes it, or one text. What a provider says is never taken for notation. */
function several(template: string, values: Values): string[] {
  const whole = /^\{(\d{1,3})\}$/.exec(template)
  if (whole) return [...valuesAt(values, Number(whole[1]))]
  const list = /^\s*\[(.*)\]\s*$/s.exec(template)
  if (!list) return [one(template, values)]
  return [...list[1]!.matchAll(/\s*(?:'([^']*)'|"([^"]*)")\s*(?:,|$)/g)].map((m) => one(m[1] ?? m[2] ?? '', values))
}

const domainIn = (ref: DomainRef | undefined, values: Values): DomainRef | undefined =>
  ref && { ...(ref.id !== undefined && { id: one(ref.id, values) }), ...(ref.name !== undefined && { name: one(ref.name, values) }) }

function gather(found: { each: Local, values: Values }[], version: SchemaVersion): Mapped {
  const mapped: Mapped = { user: { type: 'ephemeral' }, groupIds: [], groups: [], projects: [] }
  let named = false
  for (const { each, values } of found) {
    const home = domainIn(each.domain, values), honours = version !== '1.0'
    // The first user counts, as in keystone.
    if (each.user && !named) {
      named = true
      const own = domainIn(each.user.domain, values) ?? (honours ? home : undefined)
      const emails = each.user.email === undefined ? [] : several(each.user.email, values)
      mapped.user = {
        type: each.user.type ?? 'ephemeral', ...(each.user.id !== undefined && { id: one(each.user.id, values) }),
        ...(each.user.name !== undefined && { name: one(each.user.name, values) }),
        ...(emails[0] !== undefined && { email: emails[0] }), ...(own && { domain: own }),
      }
    }
    if (each.group) {
      if ('id' in each.group) mapped.groupIds.push(one(each.group.id, values))
      else mapped.groups.push({ name: one(each.group.name, values), domain: domainIn(each.group.domain, values)! })
    }
    if (each.groups !== undefined) mapped.groups.push(...several(each.groups, values).map((name) => groupOf(name, home)))
    if (each.group_ids !== undefined) mapped.groupIds.push(...several(each.group_ids, values))
    if (each.projects || each.projects_json !== undefined) {
      const stated = (each.projects ?? []).map(({ name, roles, domain }) =>
        ({ name: one(name, values), roles: roles.map((role) => ({ name: one(role.name, values) })), domain: domainIn(domain, values) }))
      const told = each.projects_json === undefined ? [] : projectsIn(several(each.projects_json, values))
      mapped.projects = [...stated, ...told].map(({ domain, ...project }) => {
        const at = domain ?? (honours ? home : undefined)
        return { ...project, ...(at && { domain: at }) }
      })
    }
  }
  mapped.groupIds = [...new Set(mapped.groupIds)]
  return mapped
}

/** A group by its name, or as another keystone writes it: JSON:{"name": …, "domain": {"name": …}}. */
function groupOf(name: string, home: DomainRef | undefined): { name: string, domain: DomainRef } {
  if (name.startsWith('JSON:')) {
    const told = parsed(name.slice(5)) as { name?: unknown, domain?: { id?: unknown, name?: unknown } } | undefined
    const id = told?.domain?.id, domainName = told?.domain?.name
    if (typeof told?.name !== 'string' || (typeof id !== 'string' && typeof domainName !== 'string')) throw new Unmapped('a group in JSON without its name or domain')
    return { name: told.name, domain: typeof id === 'string' ? { id } : { name: domainName as string } }
  }
  if (!home) throw new Unmapped('\'groups\' needs \'domain\' beside it')
  return { name, domain: home }
}

function projectsIn(texts: string[]): Mapped['projects'] {
  const told = texts.length === 1 ? parsed(texts[0]!) : undefined
  const isName = (n: unknown): n is string => typeof n === 'string' && n.length > 0 && n.length <= 255
  if (!Array.isArray(told) || told.length > 100) throw new Unmapped('projects_json holds no list of projects')
  return told.map((p: any) => {
    if (!isName(p?.name) || !Array.isArray(p.roles) || p.roles.length > 50 || !p.roles.every((r: any) => isName(r?.name))) {
      throw new Unmapped('projects_json holds something that is no project')
    }
    const { id, name } = p.domain ?? {}
    return { name: p.name, roles: p.roles.map((r: any) => ({ name: r.name })), ...(isName(id) ? { domain: { id } } : isName(name) && { domain: { name } }) }
  })
}

const parsed = (json: string): unknown => { try { return JSON.parse(json) } catch { return undefined } }

/** The body of a mapping. */
export const mappingBody = lenient({ rules: rulesSchema, schema_version: Type.Optional(Type.Union(schemaVersions.map((v) => Type.Literal(v)))) })
