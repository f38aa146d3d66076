// https://docs.openstack.org/api-ref/image/v2/#images
import { badRequest, forbidden, notFound } from '#base/errors.ts'
import { operation } from '../deps.ts'
import { removeImage } from '../imports/purge.ts'
import { checkBounds } from './fields.ts'
import * as policy from './policy.ts'
import * as images from './store.ts'
import { imageTarget } from './target.ts'
import { imageView } from './view.ts'

export const showImage = operation({
  name: 'showImage', method: 'GET', path: '/images/{image_id}', summary: 'Show an image.',
  access: policy.seeImage, target: imageTarget,
  faults: ['notFound'],
  handle: async (_ctx, { target }) => imageView(target),
})

export const deleteImage = operation({
  name: 'deleteImage', method: 'DELETE', path: '/images/{image_id}', summary: 'Delete an image and its data.', status: 204,
  access: policy.changeImage, target: imageTarget,
  async handle(ctx, { target }, deps) {
    await deps.store.tx(async (tx) => {
      // Whoever brings bytes, or protects it, at this moment comes before or after: what is read here is all there is to remove.
      await images.lock(tx, target.id)
      const image = await images.find(tx, target.id)
      if (image?.protected === 1) throw forbidden(`Image ${target.id} is protected and cannot be deleted.`)
      if (image) await removeImage(tx, ctx, deps, image)
    }, { durable: true })
  },
})

// As glance's own rules have it since Wallaby: the owner's members, too; but only an administrator reads a deactivated image.
const activation = (name: string, path: string, from: 'active' | 'deactivated', to: 'active' | 'deactivated') => operation({
  name, method: 'POST', path: `/images/{image_id}/actions/${path}`, summary: `Make the image ${to}.`, status: 204,
  access: policy.changeImage, target: imageTarget,
  async handle(_ctx, { target }, { store }) {
    if (target.status === to) return
    if (!await store.tx((tx) => images.move(tx, target.id, { status: from }, { status: to }))) throw forbidden(`Not allowed to ${path} image in status '${target.status}'`)
  },
})
export const deactivateImage = activation('deactivateImage', 'deactivate', 'active', 'deactivated')
export const reactivateImage = activation('reactivateImage', 'reactivate', 'deactivated', 'active')

export const addTag = operation({
  name: 'addImageTag', method: 'PUT', path: '/images/{image_id}/tags/{tag}', summary: 'Tag an image.', status: 204,
  access: policy.changeImage, target: imageTarget,
  faults: ['badRequest', 'overQuota'],
  async handle(_ctx, { target, params }, { store, config }) {
    if (params.tag!.length > 255) throw badRequest('A tag is at most 255 characters long.')
    await store.tx(async (tx) => {
      await images.lock(tx, target.id)
      await images.addTag(tx, target.id, params.tag!)
      checkBounds({ tags: await images.countTags(tx, target.id) }, config)
    })
  },
})

export const removeTag = operation({
  name: 'removeImageTag', method: 'DELETE', path: '/images/{image_id}/tags/{tag}', summary: 'Remove a tag.', status: 204,
  access: policy.changeImage, target: imageTarget,
  async handle(_ctx, { target, params }, { store }) {
    if (!await store.tx((tx) => images.removeTag(tx, target.id, params.tag!))) throw notFound(`The tag ${params.tag} was not found on the image.`)
  },
})
