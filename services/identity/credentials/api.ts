// https://docs.openstack.org/api-ref/identity/v3/#credentials
import type { Context } from '#base/context.ts'
import { badRequest, conflict } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import type { Input } from '#kit/http/operation.ts'
import { exact, lenient, nullable, Type } from '#kit/http/schema.ts'
import { authenticated } from '#kit/policy/rules.ts'
import { reaches, refuseBeyond, refuseRestricted } from '../delegation.ts'
import { operation, type Deps } from '../deps.ts'
import { missing, refused, tooMany } from '../faults.ts'
import { checkFixed, collection, extraOf, listQuery, pageOf, termsOf } from '../fields.ts'
import { countOf, exactly } from '../lists-store.ts'
import { anyAdminOrSystemReader } from '../policy.ts'
import type { CredentialRow } from '../schema.ts'
import { bindBlob, ec2Type, idOf, isLent, keepBonds, checkBlob, refuseUnlent } from './ec2-blob.ts'
import * as policy from './policy.ts'
import * as credentials from './store.ts'
import { credentialView } from './view.ts'

const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => credentials.find(tx, params.credential_id!)),
  sees: policy.readCredential,
  owner: (row: CredentialRow) => ({ userId: row.userId }),
  missing: (params: Record<string, string>) => missing('credential', params.credential_id!),
}
/** A new one belongs to whom the body names. */
const newTarget = {
  load: async (_ctx: Context, _params: unknown, _deps: Deps, { body }: Input<any, any, unknown>) => ({ userId: body.credential.user_id as string }),
  sees: authenticated,
  missing: () => missing('user', ''),
}

const known = ['id', 'user_id', 'project_id', 'type', 'blob', 'links'] as const
const anId = Type.String({ minLength: 1, maxLength: 64 })
const fields = {
  blob: Type.String({ maxLength: 65_536 }), type: Type.String({ minLength: 1, maxLength: 255 }), user_id: anId,
  project_id: Type.Optional(nullable(anId)), id: Type.Optional(Type.String()),
}

/** Blobs of other types, TOTP's too, are not looked into: a secret that is no base32 lets nobody in. */
function checkType(type: string, projectId: string | null): void {
  if (type === ec2Type && projectId === null) throw badRequest('\'project_id\' is a required property of EC2 credentials')
}

/** Soft by a few when many are made at once; there to keep one user from filling the table. */
export async function checkRoom(deps: Deps, userId: string): Promise<void> {
  const { store, config: { maxCredentialsPerUser: limit } } = deps
  if (await store.read((tx) => countOf(tx, 'identityCredentials', exactly({ userId }))) >= limit) throw tooMany('credentials', limit)
}

export const createCredential = operation({
  name: 'createCredential', method: 'POST', path: '/credentials', summary: 'Create a credential.', status: 201, access: policy.changeCredential, target: newTarget,
  body: exact({ credential: lenient(fields) }),
  faults: ['conflict'],
  async handle({ actor }, { body: { credential: asked }, urls }, deps) {
    const type = asked.type.toLowerCase() === ec2Type ? ec2Type : asked.type, projectId = asked.project_id ?? null
    if (type === ec2Type) refuseRestricted(actor, 'additional credentials')
    refuseBeyond(actor, projectId)
    checkType(type, projectId)
    await checkRoom(deps, asked.user_id)
    const blob = type === ec2Type ? bindBlob(asked.blob, actor) : asked.blob
    refuseUnlent(actor, type, blob)
    const id = type === ec2Type ? idOf(checkBlob(blob).access) : newHexId()
    const row: CredentialRow = {
      id, userId: asked.user_id, projectId, type, ...await deps.blobs.seal(id, blob), extra: extraOf(asked, known), lastStep: 0, createdAt: new Date(deps.clock()).toISOString(),
    }
    await deps.store.tx((tx) => credentials.add(tx, row))
    return { credential: credentialView(row, blob, urls.api) }
  },
})

export const listCredentials = operation({
  name: 'listCredentials', method: 'GET', path: '/credentials', summary: 'List credentials: one\'s own, or everybody\'s for administrators.', access: policy.readCredential,
  query: listQuery({ user_id: Type.Optional(Type.String()), type: Type.Optional(Type.String()) }),
  async handle({ actor }, { query, urls }, deps) {
    const page = pageOf(query, deps.config.listLimit), terms = termsOf(query, { user_id: 'userId', type: 'type' })
    if (!anyAdminOrSystemReader.allows(actor)) terms.push({ column: 'userId', how: 'is', value: actor.userId })
    if (actor.delegation) terms.push({ column: 'projectId', how: 'is', value: actor.projectId ?? '' })
    const rows = await deps.store.read((tx) => credentials.list(tx, terms, page))
    const opened = new Map(await Promise.all(rows.map(async (row) => [row.id, await deps.blobs.open(row)] as const)))
    const answer = collection('credentials', rows, (row) => credentialView(row, opened.get(row.id)!, urls.api), urls, page) as { credentials: { id: string }[] }
    const hidden = new Set(rows.filter((row) => !isLent(actor, row.type, opened.get(row.id)!)).map((row) => row.id))
    return { ...answer, credentials: answer.credentials.filter(({ id }) => !hidden.has(id)) }
  },
})

export const showCredential = operation({
  name: 'showCredential', method: 'GET', path: '/credentials/{credential_id}', summary: 'Show a credential.', access: policy.readCredential, target,
  async handle({ actor }, { target, urls }, deps) {
    refuseBeyond(actor, target.projectId)
    const blob = await deps.blobs.open(target)
    refuseUnlent(actor, target.type, blob)
    return { credential: credentialView(target, blob, urls.api) }
  },
})

export const updateCredential = operation({
  name: 'updateCredential', method: 'PATCH', path: '/credentials/{credential_id}', summary: 'Change a credential.', access: policy.changeCredential, target,
  body: exact({ credential: lenient({
    ...fields, blob: Type.Optional(fields.blob), type: Type.Optional(fields.type), user_id: Type.Optional(fields.user_id),
  }, { minProperties: 1 }) }),
  faults: ['conflict'],
  async handle({ actor }, { body: { credential: asked }, target, urls }, deps) {
    refuseBeyond(actor, target.projectId)
    checkFixed(asked, { id: target.id })
    // What it becomes must be his to have, too.
    if (!policy.changeCredential.allows(actor, { userId: asked.user_id ?? target.userId })
      || !reaches(actor, asked.project_id === undefined ? target.projectId : asked.project_id)) {
      throw refused('updateCredential')
    }
    const before = await deps.blobs.open(target), blob = asked.blob ?? before, type = asked.type ?? target.type
    const projectId = asked.project_id === undefined ? target.projectId : asked.project_id
    refuseUnlent(actor, target.type, before)
    refuseUnlent(actor, type, blob)
    if (target.type === ec2Type || type === ec2Type) keepBonds(before, blob)
    checkType(type, projectId)
    const row: CredentialRow = {
      ...target, userId: asked.user_id ?? target.userId, projectId, type, ...await deps.blobs.seal(target.id, blob),
      extra: extraOf(asked, known, target),
    }
    if (!await deps.store.tx((tx) => credentials.save(tx, target, row))) throw conflict('The credential was changed by somebody else meanwhile. Try again.')
    return { credential: credentialView(row, blob, urls.api) }
  },
})

export const deleteCredential = operation({
  name: 'deleteCredential', method: 'DELETE', path: '/credentials/{credential_id}', summary: 'Delete a credential.', access: policy.changeCredential, target,
  async handle({ actor }, { target }, { store }) {
    refuseBeyond(actor, target.projectId)
    if (target.type === 'totp') refuseUnlent(actor, target.type, '')
    await store.tx((tx) => credentials.remove(tx, target.id))
  },
})
