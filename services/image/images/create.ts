// https://docs.openstack.org/api-ref/image/v2/#create-image
import { badRequest, forbidden } from '#base/errors.ts'
import { isUuid } from '#base/ids.ts'
import { Reply } from '#kit/http/operation.ts'
import { lenient } from '#kit/http/schema.ts'
import { operation } from '../deps.ts'
import { boundsOf, checkBounds, setField } from './fields.ts'
import { quotaFor } from '../quota/limits.ts'
import * as policy from './policy.ts'
import * as images from './store.ts'
import { imageView } from './view.ts'

export const createImage = operation({
  name: 'createImage', method: 'POST', path: '/images', summary: 'Create an image record; its data follows.', status: 201,
  access: policy.addImage,
  body: lenient({}),
  faults: ['conflict', 'overQuota'],
  async handle(ctx, { body, urls }, deps) {
    const image = images.newImage(ctx.actor.projectId, 'queued')
    for (const [name, value] of Object.entries(body as Record<string, unknown>)) {
      if (name === 'id') {
        if (typeof value !== 'string' || value.length !== 36 || !isUuid(value)) {
          throw badRequest(`Provided object does not match schema 'image': ${JSON.stringify(value)} does not match the pattern of a UUID (id)`)
        }
        image.id = value
      } else {
        setField(image, name, value)
      }
    }
    checkBounds(boundsOf(image), deps.config)
    policy.checkVisibility(ctx.actor, image.visibility)
    if (image.ownerId !== (ctx.actor.projectId ?? null) && !policy.publicize.allows(ctx.actor)) {
      throw forbidden(`You are not permitted to create images owned by '${image.ownerId}'.`)
    }
    const admit = await quotaFor(ctx, deps, image.ownerId)
    await deps.store.tx(async (tx) => {
      await admit(tx, { image_count_total: 1 })
      await images.add(tx, image)
    })
    const headers = {
      location: `${urls.api}/images/${image.id}`,
      'openstack-image-import-methods': deps.config.methods.join(','), 'openstack-image-store-ids': deps.stores.ids.join(','),
    }
    return new Reply({ headers, body: imageView(image) })
  },
})
