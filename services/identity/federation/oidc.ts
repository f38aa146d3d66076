// OpenID Connect: this cloud as a relying party (code flow with PKCE, state and nonce) and as a resource server (bearer tokens).
import type * as Client from 'openid-client'
import { Fault } from '#base/errors.ts'
import { askOnly } from './ask.ts'
import type { Said } from './login.ts'
import { Unmapped } from './rules.ts'
import type { ProtocolRow } from './schema.ts'
import type { OidcSettings } from './settings.ts'

type Library = typeof Client
interface Provider { library: Library, config: Client.Configuration, keys: (header: any, token: any) => Promise<any>, learntAt: number }

/** What providers say of themselves, kept for ten minutes. */
export interface OidcProviders { get(row: ProtocolRow, settings: OidcSettings): Promise<Provider> }
const keepMs = 600_000, maxKept = 100

/** Asks each provider what it is once, and again after a while or when its settings change. */
export function oidcProviders(clock: () => number): OidcProviders {
  const kept = new Map<string, Promise<Provider>>()
  return {
    async get(row, settings) {
      const key = JSON.stringify([row.idpId, row.id, row.revision]), known = await kept.get(key)
      if (known && clock() - known.learntAt < keepMs) return known
      kept.delete(key)
      if (kept.size >= maxKept) kept.delete(kept.keys().next().value!)
      const learning = discover(settings, clock())
      kept.set(key, learning)
      try { return await learning } catch (error) { kept.delete(key); throw error }
    },
  }
}

async function discover(settings: OidcSettings, learntAt: number): Promise<Provider> {
  // Nobody pays for it who has no such provider.
  const [library, jose] = await Promise.all([import('openid-client'), import('jose')])
  const ask = askOnly(settings.issuer, settings.endpoint_hosts)
  const secret = settings.client_secret ?? undefined
  const authenticated = (): Client.ClientAuth => {
    if (!secret || settings.client_authentication === 'none') return library.None()
    return settings.client_authentication === 'post' ? library.ClientSecretPost(secret) : library.ClientSecretBasic(secret)
  }
  const authentication = authenticated()
  const config = await known(library.discovery(new URL(settings.issuer), settings.client_id, secret, authentication, {
    [library.customFetch]: ask as Client.CustomFetch,
    execute: [library.enableNonRepudiationChecks, ...(settings.issuer.startsWith('http:') ? [library.allowInsecureRequests] : [])],
  }))
  const jwks = config.serverMetadata().jwks_uri
  if (!jwks) throw new Unmapped('the provider names no keys')
  return { library, config, keys: jose.createRemoteJWKSet(new URL(jwks), { [jose.customFetch]: ask as never }), learntAt }
}

const wordsOf = ({ message, cause }: Error): string => (cause instanceof Error ? `${message} (${cause.message})` : message)
/** What the libraries throw: our own 503 through whatever wraps it, and for the rest that nobody is let in. */
async function known<T>(work: Promise<T>): Promise<T> {
  try { return await work } catch (error) {
    for (let e: unknown = error, depth = 0; e instanceof Error && depth < 5; e = e.cause, depth++) if (e instanceof Fault) throw e
    throw new Unmapped(`the provider's word was refused: ${error instanceof Error ? wordsOf(error) : 'unknown'}`)
  }
}

/** What a browser carries with it to the provider and back. */
export interface Journey { state: string, nonce: string, verifier: string }

/** Where the browser goes to sign in, and what it must come back with. */
export async function setOut({ library, config }: Provider, settings: OidcSettings, redirectUri: string): Promise<{ to: URL, journey: Journey }> {
  const journey: Journey = { state: library.randomState(), nonce: library.randomNonce(), verifier: library.randomPKCECodeVerifier() }
  const scope = [...new Set(['openid', ...settings.scopes ?? ['profile', 'email']])].join(' ')
  const to = library.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri, scope, state: journey.state, nonce: journey.nonce,
    code_challenge: await library.calculatePKCECodeChallenge(journey.verifier), code_challenge_method: 'S256',
  })
  return { to, journey }
}

/** Back from the provider: the code is exchanged and its tokens are checked. */
export async function comeBack({ library, config }: Provider, settings: OidcSettings, at: URL, journey: Journey): Promise<Said> {
  const expected = { expectedState: journey.state, expectedNonce: journey.nonce, pkceCodeVerifier: journey.verifier, idTokenExpected: true }
  const tokens = await known(library.authorizationCodeGrant(config, at, expected))
  const claims = tokens.claims()!
  const more = settings.userinfo !== false && config.serverMetadata().userinfo_endpoint ? await known(library.fetchUserInfo(config, tokens.access_token, claims.sub)) : {}
  return saidBy({ ...more, ...claims }, settings)
}

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

/** What an access token (or id token) in an Authorization header says: signed, or told by the provider when asked. */
export async function bearer({ library, config, keys }: Provider, settings: OidcSettings, token: string): Promise<Said> {
  const audiences = settings.audiences ?? [settings.client_id]
  const claims: Record<string, unknown> = await known((async () => {
    if (!settings.introspect && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) {
      const { jwtVerify } = await import('jose')
      const { payload } = await jwtVerify(token, keys, { issuer: settings.issuer, requiredClaims: ['sub', 'exp'], algorithms, clockTolerance: 5 })
      return payload
    }
    const told = await library.tokenIntrospection(config, token)
    if (!told.active || typeof told.sub !== 'string') throw new Error('it is not active')
    return told as Record<string, unknown>
  })())
  const meantFor = [claims.aud, claims.azp, claims.client_id].flat().filter((a): a is string => typeof a === 'string')
  if (!meantFor.some((a) => audiences.includes(a))) throw new Unmapped('the token is meant for somebody else')
  // An id token says it all itself; with an access token more may be asked.
  const asks = settings.userinfo !== false && claims.nonce === undefined && config.serverMetadata().userinfo_endpoint && String(claims.scope ?? '').split(' ').includes('openid')
  const more = asks ? await library.fetchUserInfo(config, token, String(claims.sub)).catch(() => ({})) : {}
  return { ...saidBy({ ...more, ...claims }, settings), ...(typeof claims.exp === 'number' && { endsAtSeconds: Math.floor(claims.exp) }) }
}

const maxCharacters = 65_536

/** Claims under the names that mappings know them by. */
function saidBy(claims: Record<string, unknown>, settings: OidcSettings): Said {
  const attributes = new Map<string, string[]>()
  let size = 0
  for (const [name, value] of Object.entries({ ...claims, iss: settings.issuer })) {
    const values = (Array.isArray(value) ? value : [value]).filter((v) => ['string', 'number', 'boolean'].includes(typeof v)).map(String)
    if (values.length === 0) continue
    size += name.length + values.reduce((sum, v) => sum + v.length, 0)
    if (size > maxCharacters) throw new Unmapped('the provider says too much')
    for (const known of [`OIDC-${name}`, `HTTP_OIDC_${name.toUpperCase().replaceAll('-', '_')}`]) attributes.set(known, values)
  }
  attributes.set('REMOTE_USER', [`${String(claims.sub)}@${settings.issuer}`])
  return { issuer: settings.issuer, attributes }
}
