// https://docs.openstack.org/api-ref/image/v2/#sharing
import type { Context } from '#base/context.ts'
import { forbidden, notFound } from '#base/errors.ts'
import { seconds } from '#base/time.ts'
import { exact, oneOf, Type } from '#kit/http/schema.ts'
import { admin } from '#kit/policy/rules.ts'
import { operation } from '../deps.ts'
import { checkBounds } from '../images/fields.ts'
import * as policy from '../images/policy.ts'
import * as images from '../images/store.ts'
import { imageTarget, type Found } from '../images/target.ts'
import type { MemberRow } from '../schema.ts'
import * as members from './store.ts'

const view = (row: MemberRow): object => ({
  member_id: row.memberId, image_id: row.imageId, status: row.status, created_at: seconds(row.createdAt), updated_at: seconds(row.updatedAt), schema: '/v2/schemas/member',
})
const onlyShared = (image: Found): void => { if (image.visibility !== 'shared') throw forbidden('Only shared images have members.') }
const noMember = (imageId: string, memberId: string): Error => notFound(`${memberId} not found in the member list of the image ${imageId}.`)
/** Owners and administrators see all members; a member sees himself, not his neighbours. */
const seesAll = (ctx: Context, image: Found): boolean => image.ownerId === ctx.actor.projectId || admin.allows(ctx.actor)
const path = '/images/{image_id}/members', one = `${path}/{member_id}`
/** Clients repeat the member in the body; the path decides. */
const repeated = Type.Optional(Type.String({ maxLength: 255 }))

export const listMembers = operation({
  name: 'listImageMembers', method: 'GET', path, summary: 'List the projects an image is shared with.',
  access: policy.seeImage, target: imageTarget,
  async handle(ctx, { target }, { store }) {
    onlyShared(target)
    const rows = await store.read((tx) => members.list(tx, target.id))
    return { members: rows.filter((row) => seesAll(ctx, target) || row.memberId === ctx.actor.projectId).map(view), schema: '/v2/schemas/members' }
  },
})

export const showMember = operation({
  name: 'showImageMember', method: 'GET', path: one, summary: 'Show a member.',
  access: policy.seeImage, target: imageTarget,
  async handle(ctx, { target, params }, { store }) {
    const memberId = params.member_id!
    const row = target.visibility === 'shared' ? await store.read((tx) => members.find(tx, target.id, memberId)) : undefined
    if (!row || !(seesAll(ctx, target) || memberId === ctx.actor.projectId)) throw noMember(target.id, memberId)
    return view(row)
  },
})

export const addMember = operation({
  name: 'addImageMember', method: 'POST', path, summary: 'Share an image with a project.',
  access: policy.changeImage, target: imageTarget, body: exact({ member: Type.String({ minLength: 1, maxLength: 64 }) }),
  faults: ['conflict', 'overQuota'],
  async handle(_ctx, { target, body }, { store, config }) {
    onlyShared(target)
    return view(await store.tx(async (tx) => {
      await images.lock(tx, target.id)
      const row = await members.add(tx, target.id, body.member)
      checkBounds({ members: await members.count(tx, target.id) }, config)
      return row
    }))
  },
})

export const updateMember = operation({
  name: 'updateImageMember', method: 'PUT', path: one, summary: 'Accept or reject an image, as its member.',
  access: policy.joinImage, target: imageTarget, body: exact({ status: oneOf('pending', 'accepted', 'rejected'), member: repeated, member_id: repeated }),
  async handle(ctx, { target, params, body }, { store }) {
    const memberId = params.member_id!
    onlyShared(target)
    return store.tx(async (tx) => {
      const row = await members.find(tx, target.id, memberId)
      if (!row || !(seesAll(ctx, target) || memberId === ctx.actor.projectId)) throw noMember(target.id, memberId)
      await members.setStatus(tx, target.id, memberId, body.status)
      return view((await members.find(tx, target.id, memberId))!)
    })
  },
})

export const removeMember = operation({
  name: 'removeImageMember', method: 'DELETE', path: one, summary: 'Share an image no longer.', status: 204,
  access: policy.changeImage, target: imageTarget,
  async handle(_ctx, { target, params }, { store }) {
    onlyShared(target)
    if (!await store.tx((tx) => members.remove(tx, target.id, params.member_id!))) throw noMember(target.id, params.member_id!)
  },
})
