// From what a provider said to a token: the mapping decides who it is, and the first login makes the user.
import type { Context } from '#base/context.ts'
import type { Deps, IdentityTx } from '../deps.ts'
import { issueTo, type Issued } from '../tokens/issue.ts'
import { requireRules, type Caller, type Shown } from '../tokens/methods.ts'
import { findUser } from '../tokens/store.ts'
import { judged } from './judged.ts'
import { applyRules, Unmapped, type Assertion, type Mapped, type SchemaVersion } from './rules.ts'
import type { ProtocolRow } from './schema.ts'
import * as logins from './login-store.ts'
import * as rows from './store.ts'

/** What a provider said, checked to be its word. */
export interface Said {
  /** How the provider calls itself: its issuer or entity id. */
  issuer: string
  attributes: Assertion
  /** Until when it vouches, if it says so. */
  endsAtSeconds?: number
}
/** Where somebody comes in: a provider, and the protocol that it is asked by. */
export interface Door { provider: rows.Provider, protocol: ProtocolRow }
/** As `judged`, of who comes in there. */
export const atDoor = <T>(ctx: Context, root: string, { provider, protocol }: Door, work: () => Promise<T>): Promise<T> =>
  judged(ctx, root, { identityProvider: provider.id, protocol: protocol.id }, 'a federated login was refused', work)

/** The unscoped token of whom the mapping makes of it. Every refusal is the one 401; its reason is logged. */
export function login(ctx: Context, deps: Deps, door: Door, said: Said, caller: Caller): Promise<Issued> {
  return issueTo(ctx, deps, () => atDoor(ctx, caller.root, door, async () => {
    const shown = await identified(deps, door, said)
    requireRules(shown)
    return shown
  }), { scope: 'unscoped' }, caller)
}

async function identified(deps: Deps, { provider, protocol }: Door, said: Said): Promise<Shown> {
  if (provider.remoteIds.length > 0) {
    const claimed = protocol.remoteIdAttribute ? said.attributes.get(protocol.remoteIdAttribute) : [said.issuer]
    if (claimed?.length !== 1 || !provider.remoteIds.includes(claimed[0]!)) throw new Unmapped('the provider is not among its remote ids')
  }
  const mapping = await deps.store.read((tx) => rows.findMapping(tx, protocol.mappingId))
  if (!mapping) throw new Unmapped('its mapping does not exist')
  const schemaVersion = mapping.schemaVersion as SchemaVersion
  const mapped = applyRules({ id: mapping.id, rules: JSON.parse(mapping.rules), schemaVersion }, said.attributes)
  const nowSeconds = Math.floor(deps.clock() / 1000)
  const endsAtSeconds = Math.min(said.endsAtSeconds ?? Infinity, nowSeconds + deps.config.tokenLifeSeconds)
  if (mapped.user.type === 'local') return { ...await localUser(deps, mapped.user), expiresAtSeconds: endsAtSeconds }
  const name = mapped.user.name ?? mapped.user.id ?? said.attributes.get('REMOTE_USER')?.[0]
  if (!name || !/\S/.test(name) || name.length > 255) throw new Unmapped('the mapping gives no usable name')
  const uniqueId = quoted(mapped.user.id ?? name)
  if (uniqueId === '' || uniqueId.length > 255) throw new Unmapped('the mapping gives no usable id')

  const user = await deps.store.tx(async (tx: IdentityTx) => {
    const groupIds = await logins.groupsOf(tx, mapped)
    const domainId = await logins.domainOf(tx, mapped.user.domain ?? { id: provider.domainId })
    const { email } = mapped.user
    const row = await logins.shadowOf(tx, { idpId: provider.id, protocolId: protocol.id, uniqueId, name, ...(email !== undefined && { email }), domainId })
    await logins.setGroups(tx, row.id, provider.id, groupIds, Math.max(endsAtSeconds, nowSeconds + (provider.authorizationTtlMinutes ?? 0) * 60))
    if (mapped.projects.length > 0 || schemaVersion === '3.0') await logins.provision(tx, row, mapped.projects, provider.domainId, schemaVersion === '3.0')
    return row
  })
  return { user, methods: ['mapped'], expiresAtSeconds: endsAtSeconds, identityProviderId: provider.id, protocolId: protocol.id }
}

/** Somebody who is a user here already. */
async function localUser(deps: Deps, user: Mapped['user']): Promise<Shown> {
  if (user.id === undefined && (user.name === undefined || !user.domain)) throw new Unmapped('a local user needs an id, or a name and a domain')
  const found = await deps.store.read((tx) => findUser(tx, user.id !== undefined ? { id: user.id } : { name: user.name!, domain: user.domain! }))
  if (!found?.mayEnter) throw new Unmapped('the local user does not exist or is disabled')
  return { user: found.user, methods: ['mapped'] }
}

/** As keystone writes unique ids: percent-encoded, slashes apart. */
const quoted = (text: string): string => encodeURIComponent(text.toWellFormed()).replaceAll('%2F', '/').replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
