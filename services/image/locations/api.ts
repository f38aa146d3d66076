// https://docs.openstack.org/api-ref/image/v2/#add-location, since 2.17. Where bytes lie is shown to services only, and no address a user names is ever taken for an image's bytes:
// it could change behind the hash, or lead inside.
import { conflict, forbidden } from '#base/errors.ts'
import { exact, lenient, Type } from '#kit/http/schema.ts'
import { adminOrService } from '#kit/policy/rules.ts'
import { operation } from '../deps.ts'
import * as policy from '../images/policy.ts'
import { imageTarget } from '../images/target.ts'

export const listLocations = operation({
  name: 'listImageLocations', method: 'GET', path: '/images/{image_id}/locations', summary: 'Where an image\'s copies lie, for services.',
  access: adminOrService, target: imageTarget,
  handle: async (_ctx, { target }, { stores }) => stores.ordered(target.locations).map(({ store, location }) => ({
    url: `${stores.find(store)?.type ?? 'unknown'}://${stores.blobs(store)?.localPath?.(location) ?? `${store}/${location}`}`, metadata: { store },
  })),
})

export const addLocation = operation({
  name: 'addImageLocation', method: 'POST', path: '/images/{image_id}/locations', summary: 'Name a place of an image\'s bytes: refused, no store takes such places.', status: 202,
  access: policy.changeImage, target: imageTarget,
  body: lenient({
    url: Type.String({ maxLength: 4096 }),
    validation_data: Type.Optional(exact({ os_hash_algo: Type.String({ maxLength: 64 }), os_hash_value: Type.String({ maxLength: 128 }) })),
  }),
  faults: ['conflict'],
  async handle(_ctx, { target }) {
    if (target.status !== 'queued') throw conflict(`It's not allowed to add locations if image status is ${target.status}.`)
    throw forbidden('http store must be enabled to use location API by normal user.')
  },
})
