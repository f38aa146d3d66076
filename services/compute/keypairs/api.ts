// https://docs.openstack.org/api-ref/compute/#keypairs-keypairs
import { badRequest, forbidden, notFound, overQuota } from '#base/errors.ts'
import { now } from '#base/time.ts'
import type { Actor } from '#base/context.ts'
import { Reply } from '#kit/http/operation.ts'
import { exact, exactSince, oneOf, reshaped, since, Type } from '#kit/http/schema.ts'
import { authenticated } from '../policy.ts'
import { operation } from '../deps.ts'
import { name as anyName } from '../fields.ts'
import { pageLinks, pageSize } from '../links.ts'
import { nextNumber } from '../numbers.ts'
import { limitOf } from '../quotas/store.ts'
import { count } from '#kit/store/rows.ts'
import type { KeypairRow } from '../schema.ts'
import * as policy from './policy.ts'
import { certificateFingerprint, fingerprintOf, generateSsh } from './ssh.ts'
import * as keypairs from './store.ts'
import { createdView, keypairBrief, keypairView } from './view.ts'

const missing = (userId: string, name: string): Error => notFound(`Keypair ${name} not found for user ${userId}`)

/** The user whose keys are meant: oneself, or from 2.10 on whom an administrator names. */
function userOf(actor: Actor, asked: string | undefined): string {
  const userId = asked ?? actor.userId
  if (!policy.use.allows(actor, { userId })) throw forbidden('Policy doesn\'t allow os_compute_api:os-keypairs to be performed.')
  return userId
}

const ofUser = since('2.10', Type.Optional(Type.String()))

export const listKeypairs = operation({
  name: 'listKeypairs', method: 'GET', path: '/os-keypairs', summary: 'List a user\'s keypairs.', access: authenticated,
  query: exactSince('2.75', { user_id: ofUser, limit: since('2.35', Type.Optional(Type.Integer({ minimum: 0 }))), marker: since('2.35', Type.Optional(Type.String())) }),
  async handle(ctx, { query, version, urls }, { store }) {
    const userId = userOf(ctx.actor, version.since('2.10') ? query.user_id : undefined)
    const paged = version.since('2.35')
    const rows = await store.read(async (tx) => {
      if (paged && query.marker !== undefined && !await keypairs.find(tx, userId, query.marker)) throw badRequest(`Marker ${query.marker.slice(0, 60)} could not be found.`)
      return keypairs.list(tx, userId, paged ? { limit: pageSize(query.limit), marker: query.marker } : undefined)
    })
    return { keypairs: rows.map(keypairBrief(version)), ...(paged && pageLinks('keypairs_links', urls, 'os-keypairs', rows.length, query.limit, rows.at(-1)?.name)) }
  },
})

export const showKeypair = operation({
  name: 'showKeypair', method: 'GET', path: '/os-keypairs/{keypair_name}', summary: 'Show a keypair; never its private half.', access: authenticated,
  query: exactSince('2.75', { user_id: ofUser }),
  faults: ['notFound'],
  async handle(ctx, { params, query, version }, { store }) {
    const userId = userOf(ctx.actor, version.since('2.10') ? query.user_id : undefined), name = params.keypair_name!
    const row = await store.read((tx) => keypairs.find(tx, userId, name))
    if (!row) throw missing(userId, name)
    return keypairView(row, version)
  },
})

const keyName = (characters: string) => Type.Intersect([anyName, Type.String({ pattern: characters })])

export const createKeypair = operation({
  name: 'createKeypair', method: 'POST', path: '/os-keypairs', summary: 'Import a public key, or before 2.92 have a keypair made.', access: authenticated,
  body: exact({ keypair: exact({
    name: reshaped({ '2.1': keyName('^[_\\- a-zA-Z0-9]+$'), '2.92': keyName('^[@._\\- a-zA-Z0-9]+$') }),
    public_key: reshaped({ '2.1': Type.Optional(Type.String()), '2.92': Type.String() }),
    type: since('2.2', Type.Optional(oneOf('ssh', 'x509'))), user_id: ofUser,
  }) }),
  faults: ['conflict', 'overQuota'],
  async handle(ctx, { body: { keypair }, version }, { store }) {
    const userId = userOf(ctx.actor, keypair.user_id), type = keypair.type ?? 'ssh', name = keypair.name!
    let publicKey = keypair.public_key, privateKey: string | undefined, fingerprint: string
    if (publicKey === undefined) {
      if (type === 'x509') throw badRequest('Keypair data is invalid: certificates are not made here, only imported.')
      ;({ publicKey, privateKey, fingerprint } = await generateSsh('Generated-by-Pileus'))
    } else {
      if (publicKey.length > 16_384) throw badRequest('Keypair data is invalid: the key is too long.')
      fingerprint = type === 'ssh' ? fingerprintOf(publicKey) : certificateFingerprint(publicKey)
    }
    const row: KeypairRow = { userId, name, number: 0, type, publicKey, fingerprint, createdAt: now() }
    await store.tx(async (tx) => {
      const limit = await limitOf(tx, ctx.actor.projectId, 'key_pairs')
      if (!await count(tx, `compute.key-pairs.${userId}`, 1, limit)) throw overQuota('Quota exceeded, too many key pairs.')
      row.number = await nextNumber(tx, 'keypairs')
      await keypairs.add(tx, row)
    })
    return new Reply({ status: version.since('2.2') ? 201 : 200, body: createdView(row, version, privateKey) })
  },
})

export const deleteKeypair = operation({
  name: 'deleteKeypair', method: 'DELETE', path: '/os-keypairs/{keypair_name}', summary: 'Delete a keypair; servers keep the key they were made with.', access: authenticated,
  query: exactSince('2.75', { user_id: ofUser }),
  faults: ['notFound'],
  async handle(ctx, { params, query, version }, { store }) {
    const userId = userOf(ctx.actor, version.since('2.10') ? query.user_id : undefined), name = params.keypair_name!
    await store.tx(async (tx) => {
      if (!await keypairs.remove(tx, userId, name)) throw missing(userId, name)
      await count(tx, `compute.key-pairs.${userId}`, -1)
    })
    return new Reply({ status: version.since('2.2') ? 204 : 202 })
  },
})
