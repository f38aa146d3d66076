// Which domains have a directory of their own, and how fresh what is known of each is.
import { forbidden } from '#base/errors.ts'
import type { Store } from '#kit/store/store.ts'
import { configOf } from '../domain-config/store.ts'
import type { Vault } from '../deps.ts'
import type { IdentityTables, UserRow } from '../schema.ts'
import { settingsOf, type DirectorySettings } from './settings.ts'
import * as rows from './store.ts'

/** The directories that domains have their users in. */
export interface Directories {
  has(domainId: string): Promise<boolean>
  /** Sees that what is known of a domain's directory is not older than a minute; tells whether it looked. While it is away, what was known counts. */
  refresh(domainId?: string): Promise<boolean>
  /** The user of this name and password; undefined for anything else. Throws the 503. */
  logIn(domainId: string, name: string, password: string): Promise<UserRow | undefined>
  /** Throws the 403 for a domain whose users and groups are changed in their directory. */
  refuse(domainId: string): Promise<void>
}

const listMs = 5_000, freshMs = 60_000, retryMs = 30_000

/** Asked when needed; what they said is kept for a minute. */
export function createDirectories({ store, vault, clock }: { store: Store<IdentityTables>, vault: Vault, clock(): number }): Directories {
  let domains: Promise<Set<string>> | undefined, listedAt = 0
  const due = new Map<string, number>(), underWay = new Map<string, Promise<void>>()
  const all = (): Promise<Set<string>> => {
    if (domains && clock() - listedAt < listMs) return domains
    listedAt = clock()
    return domains = store.read(async (tx) => new Set(await rows.directoryDomains(tx))).catch((error) => { domains = undefined; throw error })
  }
  const settings = async (domainId: string): Promise<DirectorySettings | undefined> => settingsOf(await store.read((tx) => configOf(tx, vault, domainId)))
  async function read(domainId: string): Promise<void> {
    const known = await settings(domainId)
    if (!known) return
    due.set(domainId, clock() + retryMs)
    const { readAll } = await import('./directory.ts')
    const { people, circles } = await readAll(known)
    await store.tx((tx) => rows.keepAll(tx, domainId, people, circles))
    due.set(domainId, clock() + freshMs)
  }
  const directories: Directories = {
    has: async (domainId) => (await all()).has(domainId),
    async refresh(domainId) {
      const wanted = [...await all()].filter((id) => (domainId === undefined || id === domainId) && (due.get(id) ?? 0) <= clock())
      await Promise.all(wanted.map((id) => {
        const work = underWay.get(id) ?? read(id).catch(() => {}).finally(() => underWay.delete(id))
        underWay.set(id, work)
        return work
      }))
      return wanted.length > 0
    },
    async logIn(domainId, name, password) {
      const known = await settings(domainId)
      if (!known) return undefined
      const { logIn } = await import('./directory.ts')
      const found = await logIn(known, name, password)
      return found && store.tx(async (tx) => {
        const row = await rows.keepUser(tx, domainId, found.person)
        if (row) await rows.keepGroupsOf(tx, domainId, row.id, found.circles)
        return row
      })
    },
    async refuse(domainId) {
      if (await directories.has(domainId)) throw forbidden('You are not authorized to perform the requested action: LDAP does not support write operations.')
    },
  }
  return directories
}
