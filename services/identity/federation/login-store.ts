// What a login by another provider's word finds and leaves behind.
import { createHash } from 'node:crypto'
import { conflict } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { insertIfAbsent } from '#kit/store/rows.ts'
import * as assignments from '../assignments/store.ts'
import type { IdentityTx } from '../deps.ts'
import * as projects from '../projects/store.ts'
import type { RoleRow, UserRow } from '../schema.ts'
import * as users from '../users/store.ts'
import { linkedUser, madeByLogin } from './links-store.ts'
import { Unmapped, type DomainRef, type Mapped } from './rules.ts'

/** The id by which a thing of another directory is known here: the same whenever it is asked for. */
export const publicId = (...parts: string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex')

/** A domain by id or name; Unmapped when there is none or it is disabled. */
export async function domainOf(tx: IdentityTx, ref: DomainRef): Promise<string> {
  let query = tx.db.selectFrom('identityProjects').select(['id', 'enabled']).where('isDomain', '=', 1)
  query = ref.id !== undefined ? query.where('id', '=', ref.id) : query.where('name', '=', ref.name ?? '')
  const row = await query.executeTakeFirst()
  if (!row || row.enabled !== 1) throw new Unmapped('the mapping names a domain that does not exist or is disabled')
  return row.id
}

/** The ids of the groups; a group that is named by an id must exist, one that is named by a name is passed over. */
export async function groupsOf(tx: IdentityTx, mapped: Pick<Mapped, 'groupIds' | 'groups'>): Promise<string[]> {
  const ids = new Set<string>()
  if (mapped.groupIds.length + mapped.groups.length > maxGroups) throw new Unmapped(`more than ${maxGroups} groups`)
  if (mapped.groupIds.length > 0) for (const { id } of await tx.db.selectFrom('identityGroups').select('id').where('id', 'in', mapped.groupIds).execute()) ids.add(id)
  if (ids.size !== mapped.groupIds.length) throw new Unmapped('the mapping names a group by an id that does not exist')
  if (mapped.groups.length > 0) {
    const rows = await tx.db.selectFrom('identityGroups as g')
      .innerJoin('identityProjects as d', 'd.id', 'g.domainId')
      .select(['g.id', 'g.name', 'g.domainId', 'd.name as domainName'])
      .where('g.name', 'in', [...new Set(mapped.groups.map((g) => g.name))]).execute()
    for (const { name, domain } of mapped.groups) {
      const row = rows.find((r) => r.name === name && (domain.id !== undefined ? r.domainId === domain.id : r.domainName === domain.name))
      if (row) ids.add(row.id)
    }
  }
  return [...ids]
}
const maxGroups = 200

/** Whom a provider vouches for, as it tells of him. */
export interface Stranger { idpId: string, protocolId: string, uniqueId: string, name: string, email?: string, domainId: string }

/** The user for somebody whom a provider vouches for: made when he comes for the first time. */
export async function shadowOf(tx: IdentityTx, who: Stranger): Promise<UserRow> {
  const linked = await linkedUser(tx, who), stands = linked !== undefined ? await users.find(tx, linked) : undefined
  if (stands) {
    const extra = JSON.parse(stands.extra) as { email?: string }
    // Somebody with a life of his own, whom an administrator linked, keeps his name.
    const name = madeByLogin(stands.id) ? await freeName(tx, who, stands) : stands.name
    const next = { ...stands, name, extra: who.email === undefined || extra.email === who.email ? stands.extra : JSON.stringify({ ...extra, email: who.email }) }
    await users.save(tx, stands, next)
    return next
  }
  const usual = publicId(who.idpId, who.protocolId, who.uniqueId)
  const row: UserRow = {
    // Whoever has the usual id without the link lost it: he is somebody else now.
    id: await users.find(tx, usual) ? publicId(who.idpId, who.protocolId, who.uniqueId, newHexId()) : usual,
    name: await freeName(tx, who), domainId: who.domainId, defaultProjectId: null, enabled: 1, passwordHash: null, passwordExpiresAt: null,
    options: '{}', extra: JSON.stringify({ ...(who.email !== undefined && { email: who.email }) }), generation: 0, createdAt: now(),
  }
  const again = conflict('The same user is just being made. Try again.')
  if (!await insertIfAbsent(tx, 'identityUsers', { ...row })) {
    // Two first logins at once are of one user.
    const other = await users.find(tx, await linkedUser(tx, who) ?? '')
    if (!other) throw again
    return other
  }
  if (!await insertIfAbsent(tx, 'identityFederatedUsers', { idpId: who.idpId, protocolId: who.protocolId, uniqueId: who.uniqueId, userId: row.id })) throw again
  return row
}

/** Names are unique in a domain: whose name somebody else already has is told apart by his provider, and never taken for the other. */
async function freeName(tx: IdentityTx, who: Stranger, self?: UserRow): Promise<string> {
  const suffix = ` (${who.idpId}/${who.protocolId})`, domainId = self?.domainId ?? who.domainId
  const candidates = [who.name, who.name.slice(0, 255 - suffix.length) + suffix]
  const holders = await tx.db.selectFrom('identityUsers').select(['id', 'name']).where('domainId', '=', domainId).where('name', 'in', candidates).execute()
  const free = candidates.find((name) => holders.every((h) => h.name !== name || h.id === self?.id))
  if (free === undefined) throw new Unmapped('the name is taken, with the provider behind it too')
  return free
}

/** What the provider says now is what holds: groups of an earlier login are gone. */
export async function setGroups(tx: IdentityTx, userId: string, idpId: string, groupIds: string[], expiresAtSeconds: number): Promise<void> {
  await tx.db.deleteFrom('identityExpiringMemberships').where('userId', '=', userId).where('idpId', '=', idpId).execute()
  await tx.db.deleteFrom('identityExpiringMemberships').where('expiresAtSeconds', '<', Math.floor(Date.now() / 1000)).execute()
  if (groupIds.length > 0) await tx.db.insertInto('identityExpiringMemberships').values(groupIds.map((groupId) => ({ userId, groupId, idpId, expiresAtSeconds }))).execute()
}

/** The projects the mapping gives him, made where there are none, with their roles. From schema 3.0 on he has no others. */
export async function provision(tx: IdentityTx, user: UserRow, wanted: Mapped['projects'], homeId: string, alone: boolean): Promise<void> {
  const roleNames = [...new Set(wanted.flatMap((p) => p.roles.map((r) => r.name)))]
  const known: RoleRow[] = roleNames.length === 0 ? [] : await tx.db.selectFrom('identityRoles').selectAll()
    .where('name', 'in', roleNames).where('domainId', 'in', ['', user.domainId]).execute()
  const roleId = (name: string): string => {
    const role = known.find((r) => r.name === name && r.domainId === '') ?? known.find((r) => r.name === name)
    if (!role) throw new Unmapped(`the mapping names the role ${name}, which does not exist`)
    return role.id
  }
  // Before anything is made.
  const grants = wanted.map((p) => ({ ...p, roleIds: p.roles.map((r) => roleId(r.name)) }))
  const kept = new Set<string>()
  for (const project of grants) {
    const domainId = project.domain ? await domainOf(tx, project.domain) : homeId
    const [stands] = await projects.list(tx, { name: project.name, domainId, isDomain: false })
    const id = stands?.id ?? newHexId()
    if (!stands) {
      if (!/\S/.test(project.name) || project.name.length > 64) throw new Unmapped('a project\'s name is empty or longer than 64 characters')
      await projects.add(tx, {
        id, name: project.name, domainId, parentId: domainId, isDomain: 0, enabled: 1, description: '', options: '{}', extra: '{}',
        generation: 0, createdAt: now(), tags: [],
      })
    }
    for (const roleId of project.roleIds) {
      kept.add(`${id}/${roleId}`)
      await assignments.grant(tx, { actorType: 'user', actorId: user.id, targetType: 'project', targetId: id, roleId, inherited: 0 })
    }
  }
  if (!alone) return
  for (const row of await assignments.list(tx, { actorIds: [{ type: 'user', ids: [user.id] }] })) {
    if (row.targetType === 'project' && !kept.has(`${row.targetId}/${row.roleId}`)) await assignments.revoke(tx, row)
  }
}

/** True the first time an assertion is shown. */
export async function firstUse(tx: IdentityTx, id: string, expiresAtSeconds: number, nowSeconds: number): Promise<boolean> {
  await tx.db.deleteFrom('identitySeenAssertions').where('expiresAtSeconds', '<', nowSeconds).execute()
  return insertIfAbsent(tx, 'identitySeenAssertions', { id, expiresAtSeconds })
}
