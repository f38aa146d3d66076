// A server's tags. https://docs.openstack.org/api-ref/compute/#server-tags-servers-tags
import { badRequest, notFound } from '#base/errors.ts'
import { Reply } from '#kit/http/operation.ts'
import { exact, Type } from '#kit/http/schema.ts'
import { operation } from '../deps.ts'
import { tag } from '../fields.ts'
import * as policy from './policy.ts'
import { mayDo } from './state.ts'
import * as servers from './store.ts'
import { target } from './target.ts'

const mostTags = 50, since = '2.26'
const noTag = (id: string, name: string): Error => notFound(`Server ${id} has no tag '${name.slice(0, 60)}'`)

export const listServerTags = operation({
  name: 'listServerTags', method: 'GET', path: '/servers/{server_id}/tags', summary: 'List a server\'s tags.', access: policy.show, target, since,
  handle: async (_ctx, { target }, { store }) => ({ tags: await store.read((tx) => servers.tagsOf(tx, target.id)) }),
})

export const replaceServerTags = operation({
  name: 'replaceServerTags', method: 'PUT', path: '/servers/{server_id}/tags', summary: 'Replace a server\'s tags.', access: policy.change, target, since, body: exact({ tags: Type.Array(tag, { maxItems: mostTags }) }),
  faults: ['conflict'],
  async handle(_ctx, { target, body }, { store }) {
    mayDo('tags', target, target.power, 'update tags')
    return { tags: await store.tx(async (tx) => { await servers.setTags(tx, target.id, body.tags); return servers.tagsOf(tx, target.id) }) }
  },
})

export const deleteServerTags = operation({
  name: 'deleteServerTags', method: 'DELETE', path: '/servers/{server_id}/tags', summary: 'Take all of a server\'s tags away.', access: policy.change, target, since, status: 204,
  faults: ['conflict'],
  async handle(_ctx, { target }, { store }) {
    mayDo('tags', target, target.power, 'delete tags')
    await store.tx((tx) => servers.setTags(tx, target.id, []))
  },
})

export const checkServerTag = operation({
  name: 'checkServerTag', method: 'GET', path: '/servers/{server_id}/tags/{tag}', summary: 'Does a server have a tag?', access: policy.show, target, since, status: 204,
  async handle(_ctx, { target, params }, { store }) {
    if (!(await store.read((tx) => servers.tagsOf(tx, target.id))).includes(params.tag!)) throw noTag(target.id, params.tag!)
  },
})

export const addServerTag = operation({
  name: 'addServerTag', method: 'PUT', path: '/servers/{server_id}/tags/{tag}', summary: 'Tag a server.', access: policy.change, target, since,
  faults: ['badRequest', 'conflict'],
  async handle(_ctx, { target, params, urls }, { store }) {
    const name = params.tag!
    if (name.length > 60 || /[,/]/.test(name) || name === '') throw badRequest(`Tag '${name.slice(0, 60)}' is invalid. It must be a non-empty string of at most 60 characters without '/' and ','.`)
    mayDo('tags', target, target.power, 'update tag')
    const added = await store.tx(async (tx) => {
      await servers.lock(tx, target.id)
      const tags = await servers.tagsOf(tx, target.id)
      if (tags.includes(name)) return false
      if (tags.length >= mostTags) throw badRequest(`The number of tags exceeded the per-server limit ${mostTags}`)
      await servers.setTags(tx, target.id, [...tags, name])
      return true
    })
    return new Reply({ status: added ? 201 : 204, headers: added ? { location: `${urls.api}/servers/${target.id}/tags/${encodeURIComponent(name)}` } : {} })
  },
})

export const deleteServerTag = operation({
  name: 'deleteServerTag', method: 'DELETE', path: '/servers/{server_id}/tags/{tag}', summary: 'Take a tag away from a server.', access: policy.change, target, since, status: 204,
  faults: ['conflict'],
  async handle(_ctx, { target, params }, { store }) {
    mayDo('tags', target, target.power, 'delete tag')
    if (!await store.tx((tx) => servers.removeTag(tx, target.id, params.tag!))) throw noTag(target.id, params.tag!)
  },
})
