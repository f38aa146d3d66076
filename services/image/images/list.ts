// https://docs.openstack.org/api-ref/image/v2/#list-images
import { badRequest } from '#base/errors.ts'
import { lenient, Type } from '#kit/http/schema.ts'
import { admin, type Target } from '#kit/policy/rules.ts'
import { operation, type ImageTx } from '../deps.ts'
import { filtersOf, sortOf, truthOf } from './filters.ts'
import { linksOf } from './links.ts'
import { list } from './list-store.ts'
import * as policy from './policy.ts'
import * as images from './store.ts'
import { imageTarget, sharing } from './target.ts'
import { imageView } from './view.ts'

const text = Type.Optional(Type.String()), texts = Type.Optional(Type.Array(Type.String()))
const amount = Type.Optional(Type.Integer({ minimum: 0 }))
const most = 1000
const oneOf = (value: string | undefined, words: string, said: string): void => {
  if (value !== undefined && !words.split(' ').includes(value)) throw badRequest(`Invalid ${said}: ${value.slice(0, 60)}`)
}

export const listImages = operation({
  name: 'listImages', method: 'GET', path: '/images', summary: 'List the images one may see.',
  access: policy.listImages,
  // What is not named here filters by a property of the user's.
  query: lenient({
    limit: amount, marker: text, sort: text, sort_key: texts, sort_dir: texts, visibility: text, member_status: text,
    os_hidden: text, protected: text, tag: texts, created_at: text, updated_at: text,
    id: text, name: text, status: text, owner: text, disk_format: text, container_format: text, checksum: text, os_hash_algo: text, os_hash_value: text,
    size: amount, size_min: amount, size_max: amount, virtual_size: amount, min_ram: amount, min_disk: amount,
  }),
  async handle(ctx, { query, urls }, { store }) {
    // Not from the URL: inside the process there is none.
    const search = new URLSearchParams(Object.entries(query).flatMap(([name, values]) => [values].flat().map((value): [string, string] => [name, String(value)])))
    const { visibility, member_status: memberStatus, marker: after } = query, { projectId } = ctx.actor
    oneOf(visibility, 'public private shared community all', 'visibility value')
    oneOf(memberStatus, 'pending accepted rejected all', 'status')
    const limit = Math.min(query.limit ?? 25, most), filters = filtersOf(search), sort = sortOf(search)
    if (query.protected !== undefined) filters.equal.protected = [Number(truthOf('protected', query.protected))]
    const hidden = truthOf('os_hidden', query.os_hidden ?? 'false')
    const rows = await store.read(async (tx) => {
      const marker = after === undefined ? undefined : await markerOf(tx, after, projectId, (target) => policy.seeImage.allows(ctx.actor, target))
      return list(tx, {
        ...(!admin.allows(ctx.actor) && { seenBy: projectId ?? '' }), projectId, visibility, memberStatus: memberStatus ?? 'accepted', hidden,
        ...filters, page: { sort, marker, limit },
      })
    })
    return { images: rows.map(imageView), ...linksOf('/v2/images', urls.search, rows.length === limit ? rows.at(-1)?.id : undefined), schema: '/v2/schemas/images' }
  },
})

/** One that the caller does not see is none. */
async function markerOf(tx: ImageTx, id: string, projectId: string | undefined, sees: (target: Target) => boolean): Promise<images.Image> {
  const image = await images.find(tx, id)
  const found = image && await sharing(tx, image, projectId)
  if (!found || !sees(imageTarget.owner(found))) throw badRequest(`Marker ${id.slice(0, 80)} could not be found.`)
  return found
}
