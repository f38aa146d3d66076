// Reading a directory: users, groups, and whether a password is somebody's. Never writes. Bounded in time and in how much is read.
import { readFile } from 'node:fs/promises'
import type * as Ldap from 'ldapts'
import { unavailable } from '#base/errors.ts'
import { inChunks } from '#kit/store/rows.ts'
import type { DirectorySettings, Tree } from './settings.ts'

export interface Person { localId: string, name: string, email?: string, description?: string, enabled: boolean }
export interface Circle { localId: string, name: string, description: string, /** By the users' own ids. */ members: string[] }
interface Found { dn: string, of(attribute: string): string[] }

const connectTimeoutMs = 3_000, timeoutMs = 5_000, maxEntries = 10_000, maxMemberships = 200_000, maxDepth = 20

type Library = typeof Ldap
interface Connection { client: Ldap.Client, library: Library }

const away = (cause: unknown): Error => unavailable('The directory of this domain cannot be reached, or does not answer as it should.', { cause })

/** Connected to the first server that answers, without having said who we are. */
async function connected<T>(settings: DirectorySettings, work: (connection: Connection) => Promise<T>): Promise<T> {
  const library = await import('ldapts')
  const tls = { rejectUnauthorized: settings.demandCertificate, ...(settings.caFile && { ca: [await readFile(settings.caFile).catch((error) => { throw away(error) })] }) }
  let last: unknown = new Error('no url')
  for (const url of settings.urls) {
    const client = new library.Client({ url, connectTimeout: connectTimeoutMs, timeout: timeoutMs, ...(url.startsWith('ldaps:') && { tlsOptions: tls }) })
    try {
      try {
        // Whose name the certificate must carry: the library has only a socket left to tell it from.
        if (settings.startTls) await client.startTLS({ ...tls, host: new URL(url).hostname })
        if (settings.user !== undefined) await client.bind(settings.user, settings.password)
      } catch (error) { last = error; continue }
      return await work({ client, library })
    } finally { await client.unbind().catch(() => {}) }
  }
  throw away(last)
}

/** All of a tree that fits, as plain text; binary ids as hex digits. */
async function search({ client, library }: Connection, settings: DirectorySettings, tree: Tree, attributes: string[], more: Ldap.Filter[] = []): Promise<Found[]> {
  const filters: Ldap.Filter[] = [new library.EqualityFilter({ attribute: 'objectClass', value: tree.objectClass }), ...more]
  const own = tree.filter
  const found: Found[] = []
  try {
    if (own) filters.push(library.FilterParser.parseString(own.startsWith('(') ? own : `(${own})`))
    const options = {
      scope: settings.scope, filter: new library.AndFilter({ filters }), attributes, timeLimit: timeoutMs / 1000,
      paged: { pageSize: settings.pageSize || 500 },
    }
    for await (const page of client.searchPaginated(tree.base, options)) {
      for (const entry of page.searchEntries) {
        const values = new Map(Object.entries(entry).map(([name, value]) => [name.toLowerCase(), [value].flat().map((v) => (Buffer.isBuffer(v) ? v.toString('hex') : String(v)))]))
        found.push({ dn: String(entry.dn), of: (attribute) => values.get(attribute.toLowerCase()) ?? [] })
      }
      if (found.length > maxEntries) throw new Error(`more than ${maxEntries} entries`)
    }
  } catch (error) {
    // A tree that is not there holds nobody.
    if (error instanceof library.NoSuchObjectError) return []
    throw away(error)
  }
  return found
}

function personOf(entry: Found, { users }: DirectorySettings): Person | undefined {
  const localId = entry.of(users.id)[0], name = entry.of(users.name)[0]
  if (!localId || !name || name.length > 255) return undefined
  const { attribute, invert, mask, fallback } = users.enabled
  const told = users.ignored.includes('enabled') ? undefined : entry.of(attribute)[0]
  const value = told ?? fallback
  // A mask is of flags that forbid: Active Directory's userAccountControl.
  const enabled = mask !== 0 ? (Number(value) & mask) !== mask : /^(true|1|yes)$/i.test(value) !== (invert && told !== undefined)
  const email = entry.of(users.mail)[0], description = entry.of(users.description)[0]
  return { localId, name, enabled, ...(email !== undefined && { email }), ...(description !== undefined && { description }) }
}
const userAttributes = ({ users: u }: DirectorySettings): string[] => [u.id, u.name, u.mail, u.description, u.enabled.attribute]
const groupAttributes = ({ groups: g }: DirectorySettings): string[] => [g.id, g.name, g.description, g.member]
/** Names of entries are compared without regard to case and to spaces around their parts. */
const sameDn = (dn: string): string => dn.toLowerCase().replace(/\s*([,=+])\s*/g, '$1')

/** Who belongs to a group with these members, all by their names in the directory. */
type Within = (members: string[]) => Iterable<string>
const directly: Within = (members) => members
/** Those of its groups, and of theirs: rings end, and no directory makes an endless list of it. */
export function nesting(membersOf: Map<string, string[]>): Within {
  let left = maxMemberships
  return (members) => {
    const reached = new Set(members)
    // What is added on the way is come to as well.
    for (const dn of reached) {
      if (--left < 0) throw away(new Error(`more than ${maxMemberships} memberships`))
      for (const member of membersOf.get(dn) ?? []) reached.add(member)
    }
    return reached
  }
}

function circleOf(entry: Found, { groups }: DirectorySettings, idOfDn: (dn: string) => string | undefined, within: Within = directly): Circle | undefined {
  const localId = entry.of(groups.id)[0], name = entry.of(groups.name)[0]
  if (!localId || !name || name.length > 255) return undefined
  const members = groups.membersAreIds ? entry.of(groups.member) : [...within(entry.of(groups.member).map(sameDn))].map(idOfDn).filter((m): m is string => m !== undefined)
  return { localId, name, description: entry.of(groups.description)[0] ?? '', members: [...new Set(members)] }
}

/** Everybody and every group. Throws the 503. */
export const readAll = (settings: DirectorySettings): Promise<{ people: Person[], circles: Circle[] }> => connected(settings, async (connection) => {
  const entries = await search(connection, settings, settings.users, userAttributes(settings))
  const ids = new Map<string, string>(), people: Person[] = []
  for (const entry of entries) {
    const person = personOf(entry, settings)
    if (person) { people.push(person); ids.set(sameDn(entry.dn), person.localId) }
  }
  const groups = await search(connection, settings, settings.groups, groupAttributes(settings))
  const within = settings.groups.nested ? nesting(new Map(groups.map((entry) => [sameDn(entry.dn), entry.of(settings.groups.member).map(sameDn)]))) : directly
  const circles = groups.flatMap((entry) => circleOf(entry, settings, (dn) => ids.get(dn), within) ?? [])
  return { people, circles }
})

/** The groups somebody is in, and where groups nest those that these are in: a search a level. */
async function groupsOf(connection: Connection, settings: DirectorySettings, person: Person, dn: string): Promise<Found[]> {
  const { library } = connection, { member, membersAreIds, nested } = settings.groups, found = new Map<string, Found>()
  const holding = async (members: string[]): Promise<Found[]> => search(connection, settings, settings.groups, groupAttributes(settings),
    [new library.OrFilter({ filters: members.map((value) => new library.EqualityFilter({ attribute: member, value })) })])
  let level = await holding([membersAreIds ? person.localId : dn])
  for (let depth = 0; level.length > 0 && depth <= maxDepth; depth++) {
    for (const group of level) found.set(sameDn(group.dn), group)
    const above: Found[] = []
    if (nested) for (const part of inChunks(level, 100)) above.push(...await holding(part.map((group) => group.dn)))
    level = above.filter((group) => !found.has(sameDn(group.dn)))
  }
  return [...found.values()]
}

/** Who has this name and this password, with his groups; undefined for anything else. Throws the 503. */
export const logIn = (settings: DirectorySettings, name: string, password: string): Promise<{ person: Person, circles: Circle[] } | undefined> => {
  // An empty password is no password: servers take it for a visit without a name, and say yes.
  if (password === '') return Promise.resolve(undefined)
  return connected(settings, async (connection) => {
    const { client, library } = connection
    const entries = await search(connection, settings, settings.users, userAttributes(settings), [new library.EqualityFilter({ attribute: settings.users.name, value: name })])
    const entry = entries.length === 1 ? entries[0] : undefined, person = entry && personOf(entry, settings)
    // Nobody's password costs what somebody's wrong one does.
    const dn = person ? entry.dn : `${settings.users.id}=nobody,${settings.users.base}`
    try { await client.bind(dn, password) } catch (error) {
      if (error instanceof library.ResultCodeError) return undefined
      throw away(error)
    }
    if (!person) return undefined
    // Not before, or the time it takes would tell who stands in the directory; and not as himself, who may not be let read them.
    const groups = await connected(settings, (own) => groupsOf(own, settings, person, dn))
    return { person, circles: groups.flatMap((g) => circleOf(g, settings, () => undefined) ?? []).map((c) => ({ ...c, members: [person.localId] })) }
  })
}
