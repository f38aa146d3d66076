// The administrator's file about images (README.md shows one): JSON, every key optional, unknown ones refused.
import { exact, oneOf, Type, VersionedSchema, check, type Static } from '#kit/http/schema.ts'
import { isNetwork, type OutgoingRules } from '#kit/http/outgoing.ts'
import { badRequest } from '#base/errors.ts'
import { defaultConfig, importMethods, type ImageConfig } from './config.ts'

const words = Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { maxItems: 1000 })
const lists = Type.Optional(exact({ allow: Type.Optional(words), deny: Type.Optional(words) }))
const bound = Type.Optional(Type.Integer({ minimum: -1 }))
const portNumbers = Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }))
const ports = Type.Optional(exact({ allow: Type.Optional(portNumbers), deny: Type.Optional(portNumbers) }))
const hours = Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 10_000 }))
const schema = exact({
  /** Where the store `file` and the staging area lie: a directory that all control planes on one database share. In the cloud's own if absent. */
  home: Type.Optional(Type.String({ pattern: '^/' })),
  /** Beside `file`, which is always there, in the cloud's own directory. */
  stores: Type.Optional(Type.Array(exact({
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' }), dir: Type.String({ pattern: '^/' }),
    description: Type.Optional(Type.String({ maxLength: 255 })), weight: Type.Optional(Type.Integer({ minimum: -1000, maximum: 1000 })),
  }), { maxItems: 50 })),
  defaultStore: Type.Optional(Type.String()),
  cacheGib: Type.Optional(Type.Number({ minimum: 0 })),
  importMethods: Type.Optional(Type.Array(oneOf(...importMethods), { uniqueItems: true })),
  webDownload: Type.Optional(exact({
    schemes: lists, hosts: lists, networks: lists, ports,
    redirects: Type.Optional(Type.Integer({ minimum: 0, maximum: 20 })), hours, patienceSeconds: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 3600 })),
  })),
  glanceDownload: Type.Optional(exact({ schemes: lists, hosts: lists, networks: lists, ports, properties: Type.Optional(words) })),
  decompress: Type.Optional(Type.Boolean()),
  perImage: Type.Optional(exact({ members: bound, properties: bound, tags: bound })),
  maxUnpackedRatio: Type.Optional(Type.Number({ minimum: 1 })),
  convertTo: Type.Optional(oneOf('raw', 'qcow2')),
  inject: Type.Optional(exact({ properties: Type.Record(Type.String({ minLength: 1, maxLength: 255 }), Type.String({ maxLength: 65_535 })), unlessRoles: Type.Optional(words) })),
  taskHours: hours,
  stageHours: hours,
})
const versioned = new VersionedSchema(schema)
export type ImageSettings = Static<typeof schema>

/** Checks the file's value; throws badRequest that names the key and what is wrong with it. */
export function imageSettings(value: unknown): ImageSettings {
  check(versioned, 0, value)
  const settings = value as ImageSettings
  for (const { networks } of [settings.webDownload ?? {}, settings.glanceDownload ?? {}]) {
    for (const network of [...networks?.allow ?? [], ...networks?.deny ?? []]) if (!isNetwork(network)) throw badRequest(`${network} is no network: write 10.1.0.0/16 or fd00::/8.`)
  }
  return settings
}

const hour = 3600_000
interface Lists<T> { allow: readonly T[], deny: readonly T[] }
const over = <T>(base: Lists<T>, said: Partial<Lists<T>> = {}): Lists<T> => ({ ...base, ...said })
/** In milliseconds; the default where nothing is said. */
const msOf = (amount: number | undefined, unitMs: number, byDefault: number): number => (amount === undefined ? byDefault : amount * unitMs)

/** The settings over the defaults. */
export function configOf(said: ImageSettings): ImageConfig {
  const base = defaultConfig, web = said.webDownload ?? {}, other = said.glanceDownload ?? {}
  const rulesOf = (rules: OutgoingRules, { schemes, hosts, ports, networks }: Omit<typeof other, 'properties'>): OutgoingRules =>
    ({ ...rules, schemes: over(rules.schemes, schemes), hosts: over(rules.hosts, hosts), ports: over(rules.ports, ports), networks: over(rules.networks, networks) })
  return {
    ...base, methods: said.importMethods ?? base.methods,
    webDownload: { ...rulesOf(base.webDownload, web), redirects: web.redirects ?? base.webDownload.redirects },
    glanceDownload: { rules: rulesOf(base.glanceDownload.rules, other), properties: other.properties ?? base.glanceDownload.properties },
    webBounds: { maxMs: msOf(web.hours, hour, base.webBounds.maxMs), patienceMs: msOf(web.patienceSeconds, 1000, base.webBounds.patienceMs) },
    plugins: {
      decompress: said.decompress ?? base.plugins.decompress, convertTo: said.convertTo ?? base.plugins.convertTo,
      inject: { properties: said.inject?.properties ?? {}, unlessRoles: said.inject?.unlessRoles ?? base.plugins.inject.unlessRoles },
    },
    perImage: { ...base.perImage, ...said.perImage },
    maxUnpackedRatio: said.maxUnpackedRatio ?? base.maxUnpackedRatio,
    taskLifeMs: msOf(said.taskHours, hour, base.taskLifeMs), stageLifeMs: msOf(said.stageHours, hour, base.stageLifeMs),
  }
}
