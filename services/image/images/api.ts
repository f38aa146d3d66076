// https://docs.openstack.org/api-ref/image/v2/#images
import { badRequest, conflict, forbidden, notFound } from '#base/errors.ts'
import { Type } from '#kit/http/schema.ts'
import { operation } from '../deps.ts'
import { isCore, readOnly, setField } from './fields.ts'
import * as policy from './policy.ts'
import * as images from './store.ts'
import { imageTarget } from './target.ts'
import { imageView } from './view.ts'

export const showImage = operation({
  name: 'showImage', method: 'GET', path: '/images/{image_id}', summary: 'Show an image.',
  access: policy.seeImage, target: imageTarget,
  handle: async (_ctx, { target }) => imageView(target),
})

const patchType = 'application/openstack-images-v2.1-json-patch'
const pointer = Type.Optional(Type.String())
/** The older media type names the operation by a member of its own: `{ replace: '/name', value }`. */
const patch = Type.Array(Type.Object({ op: pointer, path: pointer, add: pointer, replace: pointer, remove: pointer, value: Type.Optional(Type.Unknown()) }), { maxItems: 300 })

function changeOf(entry: { op?: string, path?: string, add?: string, replace?: string, remove?: string, value?: unknown }): { op: string, path: string, value?: unknown } {
  if (entry.op !== undefined && entry.path !== undefined) return { op: entry.op, path: entry.path, value: entry.value }
  const ops = (['add', 'replace', 'remove'] as const).filter((op) => entry[op] !== undefined)
  if (entry.op !== undefined || entry.path !== undefined || ops.length !== 1) throw badRequest(`Operations must have both 'op' and 'path', or one of add, replace and remove.`)
  return { op: ops[0]!, path: entry[ops[0]!]!, value: entry.value }
}

const unescape = (pointer: string): string => {
  if (!/^\/[^/]+$/.test(pointer)) throw badRequest(`Pointer '${pointer.slice(0, 80)}' does not name an attribute: it starts with one "/" and has no other.`)
  return pointer.slice(1).replaceAll('~1', '/').replaceAll('~0', '~')
}

export const updateImage = operation({
  name: 'updateImage', method: 'PATCH', path: '/images/{image_id}', summary: 'Change attributes by a JSON patch.',
  consumes: [patchType, 'application/openstack-images-v2.0-json-patch'],
  access: policy.changeImage, target: imageTarget, body: patch,
  async handle(ctx, { target, body }, { store }) {
    return store.tx(async (tx) => {
      const image = await images.find(tx, target.id)
      if (!image) throw imageTarget.missing({ image_id: target.id })
      for (const { op, path, value } of body.map(changeOf)) {
        const name = unescape(path)
        if (name === 'id') throw forbidden("Attribute 'id' is read-only.")
        const known = isCore(name) || Object.hasOwn(image.properties, name)
        if (op === 'remove') {
          if (isCore(name) || readOnly.has(name)) throw forbidden(`Property ${name} may not be removed.`)
          if (!known) throw conflict(`Property ${name} does not exist.`)
          delete image.properties[name]
        } else if (op === 'replace' || op === 'add') {
          if (op === 'replace' && !known && !readOnly.has(name)) throw conflict(`Property ${name} does not exist.`)
          if ((name === 'disk_format' || name === 'container_format') && image.status !== 'queued') throw forbidden(`Attribute '${name}' cannot be changed once the image has data.`)
          setField(image, name, value)
        } else {
          throw badRequest(`Invalid operation ${op.slice(0, 40)}: it is one of add, replace, remove.`)
        }
      }
      if (image.visibility === 'public' && target.visibility !== 'public' && !policy.publicize.allows(ctx.actor)) throw forbidden('You are not authorized to complete publicize_image action.')
      if (image.ownerId !== target.ownerId && !policy.publicize.allows(ctx.actor)) throw forbidden('You are not permitted to modify the owner of an image.')
      await images.save(tx, image)
      return imageView((await images.find(tx, image.id))!)
    })
  },
})

export const deleteImage = operation({
  name: 'deleteImage', method: 'DELETE', path: '/images/{image_id}', summary: 'Delete an image and its data.', status: 204,
  access: policy.changeImage, target: imageTarget,
  async handle(ctx, { target }, { store, blobs }) {
    if (target.protected === 1) throw forbidden(`Image ${target.id} is protected and cannot be deleted.`)
    await store.tx((tx) => images.remove(tx, target.id))
    // A crash before this line leaves bytes that nobody refers to; the sweep at start removes them.
    if (target.location !== null) await blobs.remove(ctx, target.location, async () => !await store.read((tx) => images.isReferred(tx, target.location!)))
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
  async handle(_ctx, { target, params }, { store }) {
    if (params.tag!.length > 255) throw badRequest('A tag is at most 255 characters long.')
    if (target.tags.length >= 128 && !target.tags.includes(params.tag!)) throw badRequest('The limit of 128 tags on an image has been exceeded.')
    await store.tx((tx) => images.addTag(tx, target.id, params.tag!))
  },
})

export const removeTag = operation({
  name: 'removeImageTag', method: 'DELETE', path: '/images/{image_id}/tags/{tag}', summary: 'Remove a tag.', status: 204,
  access: policy.changeImage, target: imageTarget,
  async handle(_ctx, { target, params }, { store }) {
    if (!await store.tx((tx) => images.removeTag(tx, target.id, params.tag!))) throw notFound(`The tag ${params.tag} was not found on the image.`)
  },
})
