// What stands in directories, as rows like all others: so that roles, tokens and lists need not know where somebody came from.
import { inChunks, insert, insertIfAbsent } from '#kit/store/rows.ts'
import { now } from '#base/time.ts'
import type { IdentityTx } from '../deps.ts'
import { publicId } from '../federation/login-store.ts'
import * as groups from '../groups/store.ts'
import type { GroupRow, UserRow } from '../schema.ts'
import * as users from '../users/store.ts'
import type { Circle, Person } from './directory.ts'

export interface DirectoryTables { identityDirectoryEntries: { id: string, domainId: string, kind: string } }

const userIdOf = (domainId: string, localId: string): string => publicId(domainId, 'user', localId)
const groupIdOf = (domainId: string, localId: string): string => publicId(domainId, 'group', localId)

/** The domains whose config names a directory. */
export const directoryDomains = async (tx: IdentityTx): Promise<string[]> => (await tx.db.selectFrom('identityDomainOptions').select('domainId')
  .where('groupName', '=', 'identity').where('optionName', '=', 'driver').where('value', '=', '"ldap"').execute()).map((row) => row.domainId)

const known = async (tx: IdentityTx, domainId: string, kind: string): Promise<Set<string>> =>
  new Set((await tx.db.selectFrom('identityDirectoryEntries').select('id').where('domainId', '=', domainId).where('kind', '=', kind).execute()).map((row) => row.id))

function userRow(domainId: string, person: Person, stands?: UserRow): UserRow {
  const { name, email, description } = person
  const enabled = person.enabled ? 1 : 0
  const extra = JSON.stringify({ ...(email !== undefined && { email }), ...(description !== undefined && { description }) })
  if (stands) {
    const isDisabledNow = stands.enabled === 1 && enabled === 0
    return { ...stands, name, enabled, extra, generation: Number(stands.generation) + (isDisabledNow ? 1 : 0) }
  }
  return {
    id: userIdOf(domainId, person.localId), name, domainId, defaultProjectId: null, enabled, passwordHash: null, passwordExpiresAt: null,
    options: '{}', extra, generation: 0, createdAt: now(),
  }
}

/** One user as he is now. Undefined when somebody else of the domain has his name. */
export async function keepUser(tx: IdentityTx, domainId: string, person: Person): Promise<UserRow | undefined> {
  const id = userIdOf(domainId, person.localId), stands = await users.find(tx, id), row = userRow(domainId, person, stands)
  const namesake = await tx.db.selectFrom('identityUsers').select('id').where('domainId', '=', domainId).where('name', '=', person.name).executeTakeFirst()
  if (namesake && namesake.id !== id) return undefined
  if (stands) await users.save(tx, stands, row)
  else if (!await insertIfAbsent(tx, 'identityUsers', { ...row })) return undefined
  await insertIfAbsent(tx, 'identityDirectoryEntries', { id, domainId, kind: 'user' })
  return row
}

/** One user's groups as they are now. */
export async function keepGroupsOf(tx: IdentityTx, domainId: string, userId: string, circles: Circle[]): Promise<void> {
  const wanted = await keepGroups(tx, domainId, circles), all = await known(tx, domainId, 'group')
  const had = (await tx.db.selectFrom('identityMemberships').select('groupId').where('userId', '=', userId).execute()).map((row) => row.groupId).filter((id) => all.has(id))
  for (const id of had) if (!wanted.has(id)) await groups.leave(tx, id, userId)
  for (const id of wanted.keys()) if (!had.includes(id)) await groups.join(tx, id, userId)
}

/** Groups by their ids here, those with another's name left out. */
async function keepGroups(tx: IdentityTx, domainId: string, circles: Circle[]): Promise<Map<string, Circle>> {
  const kept = new Map<string, Circle>()
  for (const circle of circles) {
    const id = groupIdOf(domainId, circle.localId), stands = await groups.find(tx, id)
    const row: GroupRow = { id, name: circle.name, domainId, description: circle.description, extra: stands?.extra ?? '{}', createdAt: stands?.createdAt ?? now() }
    const namesake = await tx.db.selectFrom('identityGroups').select('id').where('domainId', '=', domainId).where('name', '=', circle.name).executeTakeFirst()
    if (namesake && namesake.id !== id) continue
    if (stands) await groups.save(tx, stands, row)
    else if (!await insertIfAbsent(tx, 'identityGroups', { ...row })) continue
    await insertIfAbsent(tx, 'identityDirectoryEntries', { id, domainId, kind: 'group' })
    kept.set(id, circle)
  }
  return kept
}

/** The whole directory as it is now. Who is gone is disabled, and his tokens end; should he come back, he is who he was. */
export async function keepAll(tx: IdentityTx, domainId: string, people: Person[], circles: Circle[]): Promise<void> {
  const standing = new Map((await users.list(tx, { domainId })).map((row) => [row.id, row]))
  const ours = await known(tx, domainId, 'user')
  const byName = new Map([...standing.values()].map((row) => [row.name, row.id])), seen = new Set<string>(), fresh: UserRow[] = []
  for (const person of people) {
    const id = userIdOf(domainId, person.localId), stands = standing.get(id), namesake = byName.get(person.name)
    if (seen.has(id) || (namesake !== undefined && namesake !== id)) continue
    seen.add(id)
    byName.set(person.name, id)
    const row = userRow(domainId, person, stands)
    if (!stands) fresh.push(row)
    else await users.save(tx, stands, row)
  }
  if (fresh.length > 0) {
    await insert(tx, 'identityUsers', fresh.map((row) => ({ ...row })))
    await insert(tx, 'identityDirectoryEntries', fresh.map(({ id }) => ({ id, domainId, kind: 'user' })))
  }
  for (const id of ours) {
    const row = standing.get(id)
    if (row && !seen.has(id) && row.enabled === 1) await users.save(tx, row, { ...row, enabled: 0, generation: Number(row.generation) + 1 })
  }
  const kept = await keepGroups(tx, domainId, circles), wanted = new Set<string>()
  for (const [groupId, circle] of kept) for (const member of circle.members) { const userId = userIdOf(domainId, member); if (seen.has(userId)) wanted.add(`${groupId} ${userId}`) }
  const all = [...await known(tx, domainId, 'group')]
  for (const ids of inChunks(all)) {
    for (const { groupId, userId } of await tx.db.selectFrom('identityMemberships').selectAll().where('groupId', 'in', ids).execute()) {
      if (!wanted.delete(`${groupId} ${userId}`)) await groups.leave(tx, groupId, userId)
    }
  }
  for (const pair of wanted) { const [groupId, userId] = pair.split(' ') as [string, string]; await groups.join(tx, groupId, userId) }
}
