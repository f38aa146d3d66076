// The ways to say who one is: password, token, application credential, passcode. Each answers the user, or throws the one 401.
import { forbidden, isFault, notFound, unauthorized } from '#base/errors.ts'
import { exact, lenient, Type, type Static } from '#kit/http/schema.ts'
import { examine } from '../authenticate.ts'
import type { Deps } from '../deps.ts'
import { authenticationRequired, expecting } from '../faults.ts'
import * as credentials from '../credentials/store.ts'
import { fitsDigest, isDigest } from '../passwords/hasher.ts'
import { failed, mayLogIn, optionsOf } from '../passwords/rules.ts'
import type { UserRow } from '../schema.ts'
import { actingFor } from '../oauth1/acting.ts'
import type { SignedRequest } from '../oauth1/signature.ts'
import { scopeId } from './payload.ts'
import { MoreMethodsNeeded, openReceipt } from './receipts.ts'
import * as store from './store.ts'
import { decodeBase32, stepOf } from './totp.ts'

const named = lenient({ id: Type.Optional(Type.String()), name: Type.Optional(Type.String()) })
const userRef = lenient({
  id: Type.Optional(Type.String()), name: Type.Optional(Type.String()), domain: Type.Optional(named),
  password: Type.Optional(Type.String()), passcode: Type.Optional(Type.String()),
})
const scopeSchema = Type.Union([Type.String(), lenient({
  project: Type.Optional(lenient({ id: Type.Optional(Type.String()), name: Type.Optional(Type.String()), domain: Type.Optional(named) })),
  domain: Type.Optional(named), system: Type.Optional(lenient({})), unscoped: Type.Optional(lenient({})),
  'OS-TRUST:trust': Type.Optional(lenient({ id: Type.String({ minLength: 1 }) })),
})])
/** The body of `POST /auth/tokens`. */
export const authBody = exact({ auth: lenient({
  identity: lenient({
    methods: Type.Array(Type.String(), { maxItems: 16 }),
    password: Type.Optional(lenient({ user: Type.Optional(userRef) })),
    token: Type.Optional(lenient({ id: Type.String() })),
    oauth1: Type.Optional(lenient({})),
    mapped: Type.Optional(lenient({ id: Type.Optional(Type.String()) })),
    saml2: Type.Optional(lenient({ id: Type.Optional(Type.String()) })),
    openid: Type.Optional(lenient({ id: Type.Optional(Type.String()) })),
    totp: Type.Optional(lenient({ user: Type.Optional(userRef) })),
    application_credential: Type.Optional(lenient({
      id: Type.Optional(Type.String()), name: Type.Optional(Type.String()), secret: Type.Optional(Type.String()), user: Type.Optional(userRef),
    })),
  }),
  scope: Type.Optional(scopeSchema),
}) })
export type Auth = Static<typeof authBody>['auth']

/** Who has shown that he is himself, and what follows from how he did it. */
export interface Shown {
  user: UserRow
  methods: string[]
  /** A token made from a token ends with it, and belongs to its chain. */
  expiresAtSeconds?: number
  parentAuditId?: string
  applicationCredentialId?: string
  /** Who vouches for him, and how. */
  identityProviderId?: string
  protocolId?: string
  /** OAuth1's. */
  accessTokenId?: string
  /** The TLS certificate he showed. */
  certificateThumbprint?: string
  /** The scope that an application credential or a trust dictates. */
  projectId?: string
  trustId?: string
  /** A system token cannot be turned into one for a project or domain. */
  fromSystem?: boolean
}
/** Who asks, as far as it is known before he has shown who he is. */
export interface Caller {
  /** The service's URL. */
  root: string
  remoteAddress: string
  /** Of methods he showed a moment ago. */
  receipt?: string
  /** The request as OAuth1 signs it. */
  signed?: SignedRequest
}

/** The claim as the limiter knows it; the same text whether or not there is such a user. Of nothing but what he is looked up by: the rest would make many claims of one. */
const claimOf = ({ id, name, domain }: Static<typeof userRef>): string => (id ? `id ${id}` : domain?.name ? `/${domain.name}/${name}` : `${domain?.id ?? ''}//${name}`)
/** Directories take many spellings for one name. */
const directoryClaim = (domainId: string, name: string): string => `${domainId}//${name.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()}`

function checkRef(user: Static<typeof userRef> | undefined, target: string): asserts user is Static<typeof userRef> {
  if (!user) throw expecting('user', target)
  if (!user.id && !user.name) throw expecting('id or name', 'user')
  if (!user.id && !user.domain) throw expecting('domain', 'user')
  if (user.domain && !user.domain.id && !user.domain.name) throw expecting('id or name', 'domain')
}

/** Compares a password at the same cost whether or not there is such a user; counts failures. */
async function checkPassword(deps: Deps, claim: string, caller: Caller, found: store.FoundUser | undefined, password: string): Promise<UserRow> {
  let telling = await deps.limiter.check(claim, caller.remoteAddress)
  // Who waited is asked again when his turn comes: a burst of guesses must not wait in the queue past the limit.
  const fits = await deps.passwords.verify(found?.user.passwordHash, password, async () => { telling = await deps.limiter.check(claim, caller.remoteAddress) })
  if (!fits) {
    await deps.limiter.failed(claim, caller.remoteAddress)
    throw authenticationRequired(caller.root)
  }
  if (telling) await deps.limiter.succeeded(claim, caller.remoteAddress)
  return found!.user
}

/** The same with what the rules say: a locked or inactive account is told from a wrong password by nothing. */
export async function checkOwnPassword(deps: Deps, claim: string, caller: Caller, found: store.FoundUser | undefined, password: string): Promise<UserRow> {
  let row: UserRow
  try { row = await checkPassword(deps, claim, caller, found, password) } catch (error) {
    if (isFault(error, 'unauthorized')) await failed(deps, found?.user, claim)
    throw error
  }
  if (!await mayLogIn(deps, row)) {
    await failed(deps, row, claim)
    throw authenticationRequired(caller.root)
  }
  if (!found!.mayEnter) throw authenticationRequired(caller.root)
  return row
}

/** Somebody who stands in his domain's own directory, which alone knows his password. */
async function byDirectory(deps: Deps, domainId: string, name: string, password: string, claim: string, caller: Caller): Promise<UserRow> {
  const row = await deps.limiter.judged(claim, caller.remoteAddress, () => deps.directories.logIn(domainId, name, password))
  if (!row) throw authenticationRequired(caller.root)
  const found = await deps.store.read((tx) => store.findUser(tx, { id: row.id }))
  if (!found?.mayEnter) throw authenticationRequired(caller.root)
  return found.user
}

async function byPassword(deps: Deps, auth: Auth, caller: Caller): Promise<Shown> {
  const user = auth.identity.password?.user
  checkRef(user, 'password')
  const found = await deps.store.read((tx) => store.findUser(tx, user))
  const domainId = found?.user.domainId ?? (user.id === undefined ? (await deps.store.read((tx) => store.findScope(tx, user.domain!, true)))?.id : undefined)
  if (domainId !== undefined && await deps.directories.has(domainId)) {
    const name = user.name ?? found!.user.name
    return { user: await byDirectory(deps, domainId, name, user.password ?? '', directoryClaim(domainId, name), caller), methods: ['password'] }
  }
  const row = await checkOwnPassword(deps, claimOf(user), caller, found, user.password ?? '')
  if (row.passwordExpiresAt && !optionsOf(row).ignore_password_expiry && Date.parse(row.passwordExpiresAt) <= deps.clock()) {
    throw unauthorized(`The password is expired and needs to be changed for user: ${row.id}.`, { headers: { 'www-authenticate': `Keystone uri="${caller.root}"` } })
  }
  return { user: row, methods: ['password'] }
}

const byToken = (deps: Deps, auth: Auth): Promise<Shown> => again(deps, auth, auth.identity.token!.id)

/** A federated user's token under the name of the way he came; anything but his id stands only behind a provider's own door. */
const byFederatedToken = (method: 'mapped' | 'saml2' | 'openid') => async (deps: Deps, auth: Auth, caller: Caller): Promise<Shown> => {
  const { id } = auth.identity[method]!
  if (id === undefined) throw expecting('id', method)
  const shown = await again(deps, auth, id)
  if (!shown.identityProviderId) throw authenticationRequired(caller.root)
  return shown
}

const gone = (): Error => notFound('Failed to validate token')

async function again(deps: Deps, auth: Auth, token: string): Promise<Shown> {
  const subject = await examine(deps, token)
  // As everywhere else where a token is what is asked about: one that is no longer good is not found.
  if (typeof subject === 'string') throw gone()
  const { claims } = subject
  const asked = auth.scope
  const scopes = typeof asked === 'object' ? asked : {}
  if (claims.scope.kind === 'system' && (scopes.project || scopes.domain)) {
    throw forbidden('You are not authorized to perform the requested action: Using a system-scoped token to create a project-scoped or domain-scoped token is not allowed.')
  }
  if (claims.trustId) {
    throw forbidden('You are not authorized to perform the requested action: Using trust-scoped token to create another token. Create a new trust-scoped token instead.')
  }
  if (claims.certificateThumbprint) {
    throw forbidden('You are not authorized to perform the requested action: Using a certificate-bound token to create another token is not allowed.')
  }
  if (claims.accessTokenId) {
    throw forbidden('You are not authorized to perform the requested action: Using an OAuth-scoped token to create another token. Create a new OAuth-scoped token instead.')
  }
  if (claims.applicationCredentialId && asked !== undefined) {
    throw forbidden('You are not authorized to perform the requested action: Using an application credential token to create a scoped token is not allowed.')
  }
  const found = await deps.store.read((tx) => store.findUser(tx, { id: claims.userId }))
  if (!found?.mayEnter || found.user.generation !== claims.userGeneration) throw gone()
  return {
    user: found.user, methods: ['token', ...claims.methods.filter((m) => m !== 'token')], expiresAtSeconds: claims.expiresAtSeconds, parentAuditId: claims.auditIds.at(-1)!,
    ...(claims.applicationCredentialId && { applicationCredentialId: claims.applicationCredentialId, projectId: scopeId(claims.scope) }),
    ...(claims.identityProviderId && { identityProviderId: claims.identityProviderId, protocolId: claims.protocolId! }),
  }
}

async function byApplicationCredential(deps: Deps, auth: Auth, caller: Caller): Promise<Shown> {
  const given = auth.identity.application_credential!
  if (auth.scope !== undefined) throw unauthorized('Error authenticating with application credential: Application credentials cannot request a scope.')
  if (!given.id && !given.name) throw expecting('id or name', 'application credential')
  if (!given.id) checkRef(given.user, 'application credential')
  const found = await deps.store.read((tx) => store.findCredential(tx, given.id ? { id: given.id } : { name: given.name!, user: given.user! }))
  const claim = given.id ? `credential ${given.id}` : `credential ${given.name} of ${claimOf(given.user!)}`
  const stored = found?.credential.secretHash, secret = given.secret ?? ''
  if (stored && isDigest(stored)) {
    await deps.limiter.check(claim, caller.remoteAddress)
    if (!fitsDigest(stored, secret)) {
      // A wrong secret costs what an unknown credential costs.
      await checkPassword(deps, claim, caller, undefined, secret)
    }
  } else await checkPassword(deps, claim, caller, found && { ...found, user: { ...found.user, passwordHash: stored! } }, secret)
  if (!found!.mayEnter) throw authenticationRequired(caller.root)
  return { user: found!.user, methods: ['application_credential'], applicationCredentialId: found!.credential.id, projectId: found!.credential.projectId }
}

/** Each passcode lets in once; which part of it was wrong is not told. */
async function byPasscode(deps: Deps, auth: Auth, caller: Caller): Promise<Shown> {
  const user = auth.identity.totp?.user
  checkRef(user, 'totp')
  const found = await deps.passcodeLimiter.judged(claimOf(user), caller.remoteAddress, async () => {
    const { found, secrets } = await deps.store.read(async (tx) => {
      const found = await store.findUser(tx, user)
      return { found, secrets: found ? await credentials.ofUser(tx, found.user.id, 'totp') : [] }
    })
    let fits = false
    for (const row of secrets) {
      const secret = decodeBase32(await deps.blobs.open(row))
      const step = secret && stepOf(secret, user.passcode ?? '', deps.clock(), deps.config.totpPreviousWindows)
      fits ||= step !== undefined && await deps.store.tx((tx) => credentials.takeStep(tx, row.id, step))
    }
    return fits ? found : undefined
  })
  if (!found?.mayEnter) throw authenticationRequired(caller.root)
  return { user: found.user, methods: ['totp'] }
}

/** A consumer that a user allowed: the request itself is signed. */
async function byAccessToken(deps: Deps, auth: Auth, caller: Caller): Promise<Shown> {
  if (auth.scope !== undefined) throw unauthorized('An access token dictates its scope.')
  const { id, userId, projectId } = await actingFor(deps, caller.signed)
  const found = await deps.store.read((tx) => store.findUser(tx, { id: userId }))
  if (!found?.mayEnter) throw authenticationRequired(caller.root)
  return { user: found.user, methods: ['oauth1'], accessTokenId: id, projectId }
}

const methods = {
  password: byPassword, token: byToken, application_credential: byApplicationCredential, totp: byPasscode,
  mapped: byFederatedToken('mapped'), saml2: byFederatedToken('saml2'), openid: byFederatedToken('openid'), oauth1: byAccessToken,
} as const

/** Goes through all the methods the request names; they must agree on the user. */
export async function identify(deps: Deps, auth: Auth, caller: Caller): Promise<Shown> {
  const names = [...new Set(auth.identity.methods)]
  if (names.length === 0) throw authenticationRequired(caller.root)
  for (const name of names) if (!Object.hasOwn(auth.identity, name)) throw expecting(name, 'identity')
  if (names.some((name) => !Object.hasOwn(methods, name))) throw unauthorized('Attempted to authenticate with an unsupported method.')
  let shown: Shown | undefined
  for (const name of names) {
    const next = await methods[name as keyof typeof methods](deps, auth, caller)
    if (shown && shown.user.id !== next.user.id) throw authenticationRequired(caller.root)
    shown = { ...shown, ...next, methods: [...new Set([...(shown?.methods ?? []), ...next.methods])] }
  }
  if (caller.receipt !== undefined) {
    const before = await openReceipt(deps, caller.receipt, shown!.user)
    if (!before) throw authenticationRequired(caller.root, 'the receipt is not his, or too old')
    shown = { ...shown!, methods: [...new Set([...before, ...shown!.methods])] }
  }
  requireRules(shown!)
  return shown!
}

/** A user may be bound to use several methods together. Rules of methods that do not exist lock nobody out. */
export function requireRules({ user, methods: used }: Shown): void {
  const options = JSON.parse(user.options) as { multi_factor_auth_enabled?: boolean | null, multi_factor_auth_rules?: string[][] | null }
  if (options.multi_factor_auth_enabled === false) return
  const rules = (options.multi_factor_auth_rules ?? []).map((rule) => [...new Set(rule)].filter((method) => Object.hasOwn(methods, method))).filter((rule) => rule.length > 0)
  if (rules.length === 0 || rules.some((rule) => rule.every((method) => used.includes(method)))) return
  throw new MoreMethodsNeeded(user, used, rules.filter((rule) => rule.some((method) => used.includes(method))))
}
