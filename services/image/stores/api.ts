// https://docs.openstack.org/api-ref/image/v2/#delete-image-from-store
import { conflict, forbidden, notFound } from '#base/errors.ts'
import { admin } from '#kit/policy/rules.ts'
import { operation } from '../deps.ts'
import { imageTarget } from '../images/target.ts'
import * as images from '../images/store.ts'
import { purgeCopies } from './purge.ts'
import { removeCopy } from './store.ts'

export const removeFromStore = operation({
  name: 'removeImageFromStore', method: 'DELETE', path: '/stores/{store_id}/{image_id}', summary: 'Remove an image\'s copy from one of several stores.', status: 204,
  access: admin, target: imageTarget,
  faults: ['conflict'],
  async handle(ctx, { target, params }, deps) {
    const id = params.store_id!
    if (!deps.stores.find(id)) throw conflict(`The selected store ${id} is not available on this node.`)
    await deps.store.tx(async (tx) => {
      // Taking the row first makes two deletions of the last two copies wait for each other.
      await images.move(tx, target.id, {}, {})
      const image = await images.find(tx, target.id)
      if (!image) throw imageTarget.missing({ image_id: target.id })
      if (image.status !== 'active') throw conflict("It's not allowed to remove image data from store if image status is not 'active'")
      const found = image.locations.find(({ store }) => store === id)
      if (image.locations.length === 1) throw forbidden('Cannot delete image data from the only store containing it. Consider deleting the image instead.')
      if (!found || !await removeCopy(tx, image.id, id, null)) throw notFound(`Image ${image.id} is not stored in store ${id}.`)
      await purgeCopies(tx, ctx, deps, [found])
    }, { durable: true })
  },
})
