// https://docs.openstack.org/api-ref/identity/v3/#domain-configuration: the whole, a group, or an option; three operations of one shape for each.
import { badRequest, notFound } from '#base/errors.ts'
import { Reply, type Operation } from '#kit/http/operation.ts'
import { exact, nullable, Type } from '#kit/http/schema.ts'
import { authenticated } from '#kit/policy/rules.ts'
import * as catalogPolicy from '../catalog/policy.ts'
import { operation, type Deps } from '../deps.ts'
import { missing } from '../faults.ts'
import * as projects from '../projects/store.ts'
import { checkConfig, checkNames, defaults, noDefault, notDefaultDomain, notReadable, readable, type Groups, type Value } from './options.ts'
import * as options from './store.ts'

const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => projects.findDomain(tx, params.domain_id!)),
  sees: catalogPolicy.readCatalog, owner: () => ({}),
  missing: (params: Record<string, string>) => missing('domain', params.domain_id!),
}
function absent(domainId: string, group?: string, option?: string): Error {
  const ofGroup = group === undefined ? 'any options' : `group ${group}`
  const what = option === undefined ? ofGroup : `option ${option} in group ${group}`
  return notFound(`Could not find ${what} in domain configuration for domain ${domainId}.`)
}

const listed = Type.Array(Type.Union([Type.String({ maxLength: 1024 }), Type.Number()]), { maxItems: 256 })
const value = nullable(Type.Union([Type.String({ maxLength: 16_384 }), Type.Number(), Type.Boolean(), listed]))
/** Groups of options; an option alone where the path names one. What is not a known option is a 403, as in keystone. */
const body = exact({ config: Type.Record(Type.String(), Type.Unknown()) })
const optionBody = exact({ config: Type.Record(Type.String(), value) })

const levels = [
  ['', 'DomainConfig', 'a domain\'s config'],
  ['/{group}', 'DomainConfigGroup', 'a group of a domain\'s config'],
  ['/{group}/{option}', 'DomainConfigOption', 'an option of a domain\'s config'],
] as const

/** Show, update, delete and default at the three levels: everything, a group, an option. */
export const domainConfigs: Operation<Deps>[] = levels.flatMap(([tail, noun, about]): Operation<Deps>[] => [
  operation({
    name: `show${noun}`, method: 'GET', path: `/domains/{domain_id}/config${tail}`, summary: `Show ${about}.`, access: catalogPolicy.readCatalog, target,
    async handle(_ctx, { target, params: { group, option } }, { store }) {
      checkNames(group, option)
      const found = options.shown(await store.read((tx) => options.list(tx, target.id, group, option)))
      if (Object.keys(found).length === 0) throw absent(target.id, group, option)
      return { config: option === undefined ? found : found[group!] }
    },
  }),
  operation({
    name: `update${noun}`, method: 'PATCH', path: `/domains/{domain_id}/config${tail}`, summary: `Change ${about}.`,
    access: catalogPolicy.changeCatalog, target, body: tail === '/{group}/{option}' ? optionBody : body,
    async handle(_ctx, { target, params: { group, option }, body }, { store, vault }) {
      const config = (option === undefined ? body.config : { [group!]: body.config }) as Groups
      checkConfig(config, group, option)
      checkValues(config)
      return { config: await store.tx(async (tx) => {
        if (group !== undefined && (await options.list(tx, target.id, group, option)).length === 0) throw absent(target.id, group, option)
        await options.save(tx, vault, target.id, config)
        return options.shown(await options.list(tx, target.id))
      }) }
    },
  }),
  operation({
    name: `delete${noun}`, method: 'DELETE', path: `/domains/{domain_id}/config${tail}`, summary: `Delete ${about}.`, status: 204, access: catalogPolicy.changeCatalog, target,
    async handle(_ctx, { target, params: { group, option } }, { store }) {
      checkNames(group, option)
      await store.tx(async (tx) => {
        if (group !== undefined && (await options.list(tx, target.id, group, option)).length === 0) throw absent(target.id, group, option)
        await options.remove(tx, target.id, group, option)
      })
    },
  }),
  operation({
    name: `show${noun.replace('Config', 'ConfigDefault')}`, method: 'GET', path: `/domains/config${tail}/default`,
    summary: `Show the defaults of ${about}.`, access: catalogPolicy.readCatalog,
    async handle(_ctx, { params: { group, option } }) {
      checkNames(group, option)
      if (group === undefined) return { config: defaults }
      if (option === undefined) return { config: { [group]: defaults[group] } }
      if (!Object.hasOwn(defaults[group]!, option)) throw noDefault(group, option)
      return { config: { [option]: defaults[group]![option]! } }
    },
  }),
])

/** Keystone lets everything pass; here an option is text, a number, a truth or a list of such. */
function checkValues(config: Groups): void {
  for (const [group, given] of Object.entries(config)) {
    for (const [option, one] of Object.entries(given)) if (!isValue(one)) throw notValue(group, option)
  }
}
const isValue = (given: unknown): given is Value =>
  given === null || typeof given === 'boolean' || typeof given === 'number' || (typeof given === 'string' && given.length <= 16_384)
  || (Array.isArray(given) && given.length <= 256 && given.every((g) => typeof g === 'number' || (typeof g === 'string' && g.length <= 1024)))
const notValue = (group: string, option: string): Error =>
  badRequest(`Invalid input for field/attribute ${group}.${option}: it is neither text, a number, a boolean nor a list of these.`)

export const createDomainConfig = operation({
  name: 'createDomainConfig', method: 'PUT', path: '/domains/{domain_id}/config', summary: 'Write a domain\'s config, in place of the one it had.',
  access: catalogPolicy.changeCatalog, target, body,
  async handle(_ctx, { target, body }, { store, vault }) {
    const config = body.config as Groups
    checkConfig(config)
    checkValues(config)
    return store.tx(async (tx) => {
      const had = (await options.list(tx, target.id)).length > 0
      await options.remove(tx, target.id)
      await options.save(tx, vault, target.id, config)
      return new Reply({ status: had ? 200 : 201, body: { config: options.shown(await options.list(tx, target.id)) } })
    })
  },
})

/** What everybody may know of the rules for passwords; they are those of all domains. */
const compliance = (domainId: string, { config }: Deps, option?: string): object => {
  if (domainId !== 'default') throw notDefaultDomain()
  if (option !== undefined && !readable.includes(option as 'password_regex')) throw notReadable()
  const all = { password_regex: config.security.passwordRegex ?? null, password_regex_description: config.security.passwordRegexDescription ?? null }
  return { config: option === undefined ? { security_compliance: all } : { [option]: all[option as 'password_regex'] } }
}
export const showSecurityCompliance = operation({
  name: 'showSecurityCompliance', method: 'GET', path: '/domains/{domain_id}/config/security_compliance', summary: 'Show what passwords must look like.', access: authenticated,
  handle: async (_ctx, { params }, deps) => compliance(params.domain_id!, deps),
})
export const showSecurityComplianceOption = operation({
  name: 'showSecurityComplianceOption', method: 'GET', path: '/domains/{domain_id}/config/security_compliance/{option}', summary: 'Show one rule for passwords.',
  access: authenticated,
  handle: async (_ctx, { params }, deps) => compliance(params.domain_id!, deps, params.option!),
})
