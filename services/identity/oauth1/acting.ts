// Signed requests: who sends them, once, and for whom.
import { unauthorized } from '#base/errors.ts'
import { newSecret } from '#base/ids.ts'
import type { Input } from '#kit/http/operation.ts'
import type { Deps } from '../deps.ts'
import { firstUse } from '../federation/login-store.ts'
import type { AccessTokenRow } from './schema.ts'
import { onceUntil, signedBy, type Signed, type SignedRequest } from './signature.ts'
import * as rows from './store.ts'

const secretOf = (deps: Deps, row: { id: string, secret: string }): string => deps.vault.open(`oauth1/${row.id}`, row.secret) as string
/** A secret to hand out, as it is shown once and as it is kept. `id`: of the consumer or token it belongs to. */
export const freshSecret = (deps: Deps, id: string): { shown: string, secret: string } => {
  const shown = newSecret(24)
  return { shown, secret: deps.vault.seal(`oauth1/${id}`, shown) }
}
const refused = (why: string): Error => unauthorized(why)

/** The request as it was signed; throws the 401. Whether the secrets fit is the caller's to ask. */
export function signedIn(request: SignedRequest | undefined, deps: Deps): Signed {
  const signed = request && signedBy(request, Math.floor(deps.clock() / 1000))
  if (!signed) throw refused('Invalid signature')
  return signed
}
/** The request that a handler was asked by, as its sender signed it. */
export const requestOf = ({ headers, urls }: Pick<Input<unknown, unknown, unknown>, 'headers' | 'urls'>): SignedRequest =>
  ({ authorization: String(headers.authorization ?? ''), method: 'POST', url: urls.root + urls.path, search: urls.search })
/** Throws the 401 unless both secrets fit and the request was not sent before. A wrong consumer, token and signature are told apart by nobody. */
export async function verify(deps: Deps, signed: Signed, token: { id: string, consumerId: string, secret: string, expiresAtSeconds: number } | undefined): Promise<void> {
  const consumer = await deps.store.read((tx) => rows.findConsumer(tx, signed.consumerKey))
  const nowSeconds = Math.floor(deps.clock() / 1000)
  const ofToken = signed.token === undefined || (token !== undefined && token.consumerId === signed.consumerKey && token.expiresAtSeconds > nowSeconds)
  if (!consumer || !ofToken || !signed.fits(secretOf(deps, consumer), token ? secretOf(deps, token) : '')) throw refused('Invalid signature')
  if (!await deps.store.tx((tx) => firstUse(tx, signed.once, onceUntil(signed), nowSeconds))) throw refused('Invalid signature')
}

/** The access token behind a signed request for a token. Throws the 401. */
export async function actingFor(deps: Deps, request: SignedRequest | undefined): Promise<AccessTokenRow> {
  const signed = signedIn(request, deps)
  const row = signed.token === undefined ? undefined : await deps.store.read((tx) => rows.findAccessToken(tx, signed.token!))
  if (!row) throw refused('Invalid signature')
  await verify(deps, signed, row)
  return row
}
