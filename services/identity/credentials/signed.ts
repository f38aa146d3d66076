// Tokens for who signed a request with an EC2 credential: POST /ec2tokens and /s3tokens. Services ask, for requests that they were sent.
import type { Context } from '#base/context.ts'
import { badRequest, unauthorized } from '#base/errors.ts'
import { Reply, type Urls } from '#kit/http/operation.ts'
import { lenient, Type } from '#kit/http/schema.ts'
import { operation, type Deps } from '../deps.ts'
import { withCatalog } from '../tokens/api.ts'
import { issueTo, type Issued } from '../tokens/issue.ts'
import type { Shown } from '../tokens/methods.ts'
import { findUser } from '../tokens/store.ts'
import * as trusts from '../trusts/store.ts'
import { ec2Type, idOf, readBlob } from './ec2-blob.ts'
import * as policy from './policy.ts'
import { checkS3Signature, checkSignature, type Signed, type SignedRequest } from './signature.ts'
import * as credentials from './store.ts'
import type { Ec2Blob } from './view.ts'

const text = Type.Union([Type.String({ maxLength: 65_536 }), Type.Number(), Type.Boolean()])
const texts = Type.Optional(Type.Record(Type.String({ maxLength: 1024 }), text, { maxProperties: 1000 }))
const some = Type.Optional(Type.String({ maxLength: 65_536 }))
const request = lenient({ access: some, signature: some, token: some, host: some, verb: some, path: some, body_hash: some, params: texts, headers: texts })
/** Three names have come into use for the same. */
const body = lenient({ credentials: Type.Optional(request), credential: Type.Optional(request), ec2Credentials: Type.Optional(request) })

/** One answer for every reason: which keys there are, and how a signature should have looked, is not to be learnt here. */
const refusal = (cause: string): Error => unauthorized('The EC2 signature is not valid, or too old.', { cause })

/** Presigned requests to S3 hold for a week at most. */
const s3LifeSeconds = 7 * 86_400

function checkTime(deps: Deps, { atMs, untilMs }: Signed, lifeSeconds: number, needed: boolean): void {
  const now = deps.clock(), skewMs = deps.config.signatureLifeSeconds * 1000
  if (needed && atMs === undefined && untilMs === undefined) throw refusal('no time was signed')
  if (atMs !== undefined && (atMs + lifeSeconds * 1000 < now || atMs - skewMs > now)) throw refusal('its time is not near')
  if (untilMs !== undefined && untilMs < now) throw refusal('it has expired')
}

/** Whom the signature shows, in the project of his credential and with no more than the rights that it was made with. */
async function signer(deps: Deps, access: string | undefined, check: (secret: string) => Signed | undefined, time: { lifeSeconds: number, needed: boolean }): Promise<Shown> {
  const row = access === undefined ? undefined : await deps.store.read((tx) => credentials.find(tx, idOf(access)))
  const blob: Ec2Blob = row?.type === ec2Type ? readBlob(await deps.blobs.open(row)) : {}
  // An unknown key costs what a known one costs. A blob is its owner's text: its secret may be anything.
  const secret = typeof blob.secret === 'string' ? blob.secret : ''
  const signed = check(secret || 'nobody has this secret')
  if (!row || !secret || blob.access !== access || row.projectId === null || !signed) throw refusal('no such key, or another signature')
  checkTime(deps, signed, time.lifeSeconds, time.needed)
  const { trust_id: trustId, app_cred_id: applicationCredentialId } = blob
  const found = await deps.store.read(async (tx) => {
    const trust = trustId ? await trusts.findUsable(tx, trustId, deps.clock()) : undefined
    // What a trustee made in the trustor's name is his, who may use the trust.
    return trustId && !trust ? undefined : findUser(tx, { id: trust?.trusteeUserId ?? row.userId })
  })
  if (!found?.mayEnter) throw refusal('the signer or his trust is gone or disabled')
  return { user: found.user, methods: ['ec2credential'], projectId: row.projectId, ...(trustId && { trustId }), ...(applicationCredentialId && { applicationCredentialId }) }
}

type Described = SignedRequest & { access?: string, token?: string }
const described = (asked: { credentials?: Described, credential?: Described, ec2Credentials?: Described }): Described => {
  if (Object.keys(asked).length === 0) throw badRequest('request must include a request body')
  return asked.credentials ?? asked.credential ?? asked.ec2Credentials ?? {}
}
const issued = (ctx: Context, deps: Deps, urls: Urls, identified: () => Promise<Shown>): Promise<Issued> =>
  issueTo(ctx, deps, identified, {}, { root: urls.root, remoteAddress: '' })

export const createEc2Token = operation({
  name: 'createEc2Token', method: 'POST', path: '/ec2tokens', summary: 'Get a token for who signed a request with an EC2 credential.', access: policy.validateSignature, body,
  async handle(ctx, { body, urls }, deps) {
    const asked = described(body)
    const terms = { lifeSeconds: deps.config.signatureLifeSeconds, needed: true }
    const token = await issued(ctx, deps, urls, () => signer(deps, asked.access, (secret) => checkSignature(secret, asked), terms))
    return new Reply({ headers: { 'x-subject-token': token.token }, body: await withCatalog(deps, token, {}) })
  },
})

export const createS3Token = operation({
  name: 'createS3Token', method: 'POST', path: '/s3tokens', summary: 'Get what a token would say for who signed a request to S3.', access: policy.validateSignature, body,
  async handle(ctx, { body, urls }, deps) {
    const asked = described(body)
    const terms = { lifeSeconds: s3LifeSeconds, needed: false }
    const check = (secret: string) => checkS3Signature(secret, asked.token ?? '', asked.signature ?? '')
    const token = await issued(ctx, deps, urls, () => signer(deps, asked.access, check, terms))
    return new Reply({ body: await withCatalog(deps, token, {}) })
  },
})
