// https://docs.openstack.org/api-ref/identity/v3/#os-ec2: EC2 credentials as a user has them, by their access key.
import { newHexId } from '#base/ids.ts'
import { exact, Type } from '#kit/http/schema.ts'
import { reaches, refuseBeyond, refuseRestricted } from '../delegation.ts'
import { operation, type Deps } from '../deps.ts'
import { missing } from '../faults.ts'
import { collection, listQuery, pageOf } from '../fields.ts'
import * as projects from '../projects/store.ts'
import type { CredentialRow } from '../schema.ts'
import { userTarget } from '../users/target.ts'
import { checkRoom } from './api.ts'
import { ec2Type, idOf, isLent, readBlob, refuseUnlent } from './ec2-blob.ts'
import * as policy from './policy.ts'
import * as credentials from './store.ts'
import { ec2View } from './view.ts'

const target = {
  async load(_ctx: unknown, params: Record<string, string>, { store }: Deps): Promise<CredentialRow | undefined> {
    const row = await store.read((tx) => credentials.find(tx, idOf(params.credential_id!)))
    return row?.type === ec2Type && row.userId === params.user_id ? row : undefined
  },
  sees: policy.readEc2,
  owner: (row: CredentialRow) => ({ userId: row.userId }),
  missing: (params: Record<string, string>) => missing('credential', params.credential_id!),
}

const collectionPath = '/users/{user_id}/credentials/OS-EC2', onePath = `${collectionPath}/{credential_id}`

export const createEc2Credential = operation({
  name: 'createEc2Credential', method: 'POST', path: collectionPath, summary: 'Create an EC2 credential for a project.', status: 201,
  access: policy.changeEc2, target: userTarget(policy.readEc2), body: exact({ tenant_id: Type.String({ minLength: 1, maxLength: 64 }) }),
  async handle({ actor }, { target, body, urls }, deps) {
    refuseRestricted(actor)
    if (!await deps.store.read((tx) => projects.find(tx, body.tenant_id))) throw missing('project', body.tenant_id)
    refuseBeyond(actor, body.tenant_id)
    await checkRoom(deps, target.id)
    const { trustId, applicationCredentialId } = actor.delegation ?? {}
    const blob = { access: newHexId(), secret: newHexId(), trust_id: trustId ?? null, ...(applicationCredentialId && { app_cred_id: applicationCredentialId }) }
    const id = idOf(blob.access)
    const row: CredentialRow = {
      id, userId: target.id, projectId: body.tenant_id, type: ec2Type, ...await deps.blobs.seal(id, JSON.stringify(blob)),
      extra: '{}', lastStep: 0, createdAt: new Date(deps.clock()).toISOString(),
    }
    await deps.store.tx((tx) => credentials.add(tx, row))
    return { credential: ec2View(row, blob, urls.api) }
  },
})

export const listEc2Credentials = operation({
  name: 'listEc2Credentials', method: 'GET', path: collectionPath, summary: 'List a user\'s EC2 credentials.',
  access: policy.readEc2, target: userTarget(policy.readEc2), query: listQuery(),
  async handle({ actor }, { target, query, urls }, deps) {
    const page = pageOf(query, deps.config.listLimit)
    const rows = (await deps.store.read((tx) => credentials.ofUser(tx, target.id, ec2Type, page))).filter((row) => reaches(actor, row.projectId))
    const opened = new Map(await Promise.all(rows.map(async (row) => [row.id, await deps.blobs.open(row)] as const)))
    return collection('credentials', rows.filter((row) => isLent(actor, ec2Type, opened.get(row.id)!)), (row) => ec2View(row, readBlob(opened.get(row.id)!), urls.api), urls, page)
  },
})

export const showEc2Credential = operation({
  name: 'showEc2Credential', method: 'GET', path: onePath, summary: 'Show an EC2 credential.', access: policy.readEc2, target,
  async handle({ actor }, { target, urls }, deps) {
    refuseBeyond(actor, target.projectId)
    const blob = await deps.blobs.open(target)
    refuseUnlent(actor, ec2Type, blob)
    return { credential: ec2View(target, readBlob(blob), urls.api) }
  },
})

export const deleteEc2Credential = operation({
  name: 'deleteEc2Credential', method: 'DELETE', path: onePath, summary: 'Delete an EC2 credential.', access: policy.changeEc2, target,
  async handle({ actor }, { target }, { store }) {
    refuseBeyond(actor, target.projectId)
    await store.tx((tx) => credentials.remove(tx, target.id))
  },
})
