// https://docs.openstack.org/api-ref/image/v2/#list-images
import { badRequest } from '#base/errors.ts'
import { lenient, Type } from '#kit/http/schema.ts'
import { admin } from '#kit/policy/rules.ts'
import { operation } from '../deps.ts'
import type { ImageRow } from '../schema.ts'
import * as policy from './policy.ts'
import * as images from './store.ts'
import { imageView } from './view.ts'

const text = Type.Optional(Type.String())
const columns: Record<string, keyof ImageRow> = {
  id: 'id', name: 'name', status: 'status', owner: 'ownerId', disk_format: 'diskFormat', container_format: 'containerFormat', size: 'size', created_at: 'createdAt', updated_at: 'updatedAt', checksum: 'checksum', os_hash_value: 'osHashValue',
}
const equals = ['id', 'name', 'status', 'owner', 'disk_format', 'container_format', 'checksum', 'os_hash_value'] as const
const special = new Set<string>([...equals, 'limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'visibility', 'member_status', 'os_hidden', 'protected', 'size', 'size_min', 'size_max', 'tag', 'created_at', 'updated_at', 'min_ram', 'min_disk'])
const most = 1000

/** `in:a,"b,c"` names several values. */
export function valuesOf(value: string): string[] {
  if (!value.startsWith('in:')) return [value]
  const rest = value.slice(3), out: string[] = []
  for (const match of rest.matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/g)) out.push(match[1]?.replace(/\\(.)/g, '$1') ?? match[2]!)
  if (out.length === 0 || (rest.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1) throw badRequest(`Invalid filter value ${value}: the quote is not closed.`)
  return out
}
const operators: Record<string, images.ImageQuery['instants'][number]['op']> = { eq: '=', neq: '!=', gt: '>', gte: '>=', lt: '<', lte: '<=' }

function instant(column: 'createdAt' | 'updatedAt', value: string): images.ImageQuery['instants'][number] {
  const colon = value.indexOf(':')
  const word = value.slice(0, colon), named = Object.hasOwn(operators, word)
  const at = Date.parse(named ? value.slice(colon + 1) : value)
  if (Number.isNaN(at)) throw badRequest(`Invalid filter value ${value}: it is not an instant.`)
  return { column, op: operators[named ? word : 'eq']!, at: new Date(at).toISOString() }
}

function sortOf(search: URLSearchParams): images.ImageQuery['sort'] {
  if (search.has('sort') && (search.has('sort_key') || search.has('sort_dir'))) throw badRequest('Old and new sorting syntax cannot be combined')
  const pairs = search.has('sort')
    ? search.get('sort')!.split(',').map((part) => part.trim().split(':') as [string, string?])
    : search.getAll('sort_key').map((key, i): [string, string?] => [key, search.getAll('sort_dir')[i] ?? search.getAll('sort_dir')[0]])
  if (pairs.length === 0) pairs.push(['created_at', search.get('sort_dir') ?? undefined])
  const sort = pairs.map(([key, direction = 'desc']) => {
    const column = Object.hasOwn(columns, key) ? columns[key] : undefined
    if (!column) throw badRequest(`Invalid sort key: ${key.slice(0, 60)}.`)
    if (direction !== 'asc' && direction !== 'desc') throw badRequest(`Invalid sort direction: ${direction.slice(0, 60)}`)
    return { column, direction: direction as 'asc' | 'desc' }
  })
  for (const column of ['createdAt', 'id'] as const) if (!sort.some((s) => s.column === column)) sort.push({ column, direction: sort[0]!.direction })
  return sort
}

export const listImages = operation({
  name: 'listImages', method: 'GET', path: '/images', summary: 'List the images one may see.',
  access: policy.listImages,
  query: lenient({
    limit: Type.Optional(Type.Integer({ minimum: 0 })), marker: text, sort: text, sort_key: Type.Optional(Type.Array(Type.String())), sort_dir: Type.Optional(Type.Array(Type.String())),
    visibility: text, member_status: text, os_hidden: Type.Optional(Type.Boolean()), protected: Type.Optional(Type.Boolean()), size: Type.Optional(Type.Integer({ minimum: 0 })), size_min: Type.Optional(Type.Integer({ minimum: 0 })), size_max: Type.Optional(Type.Integer({ minimum: 0 })),
    tag: Type.Optional(Type.Array(Type.String())), created_at: text, updated_at: text, id: text, name: text, status: text, owner: text, disk_format: text, container_format: text, checksum: text, os_hash_value: text,
  }),
  async handle(ctx, { query, urls }, { store }) {
    const { search } = urls
    if (query.visibility !== undefined && !['public', 'private', 'shared', 'community', 'all'].includes(query.visibility)) throw badRequest(`Invalid visibility value: ${query.visibility}`)
    if (query.member_status !== undefined && !['pending', 'accepted', 'rejected', 'all'].includes(query.member_status)) throw badRequest(`Invalid status: ${query.member_status}`)
    const limit = Math.min(query.limit ?? 25, most)
    const rows = await store.read(async (tx) => {
      const marker = query.marker === undefined ? undefined : await images.find(tx, query.marker)
      if (query.marker !== undefined && !marker) throw badRequest(`Marker ${query.marker} could not be found.`)
      return images.list(tx, {
        ...(!admin.allows(ctx.actor) && { projectId: ctx.actor.projectId ?? '' }),
        equal: Object.fromEntries(equals.filter((name) => query[name] !== undefined).map((name) => [columns[name], valuesOf(query[name]!)])),
        visibility: query.visibility, memberStatus: query.member_status ?? 'accepted', hidden: query.os_hidden ?? false, protected: query.protected, sizeMin: query.size ?? query.size_min, sizeMax: query.size ?? query.size_max,
        tags: query.tag ?? [], properties: [...search].filter(([name]) => !special.has(name)),
        instants: [...(query.created_at ? [instant('createdAt', query.created_at)] : []), ...(query.updated_at ? [instant('updatedAt', query.updated_at)] : [])],
        sort: sortOf(search), marker, limit,
      })
    })
    const first = new URLSearchParams(search)
    first.delete('marker')
    const next = rows.length === limit && limit > 0 ? new URLSearchParams(search) : undefined
    next?.set('marker', rows.at(-1)!.id)
    const at = (s: URLSearchParams): string => `/v2/images${s.size > 0 ? `?${s}` : ''}`
    return { images: rows.map(imageView), first: at(first), ...(next && { next: at(next) }), schema: '/v2/schemas/images' }
  },
})
