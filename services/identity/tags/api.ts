// https://docs.openstack.org/api-ref/identity/v3/#project-tags
import { badRequest } from '#base/errors.ts'
import { Reply } from '#kit/http/operation.ts'
import { exact } from '#kit/http/schema.ts'
import { operation, type Deps } from '../deps.ts'
import { missing } from '../faults.ts'
import { checkMutable, field, trimmed } from '../fields.ts'
import { projectTarget } from '../projects/api.ts'
import * as policy from '../projects/policy.ts'
import * as projects from '../projects/store.ts'

const maxTags = 80
const view = (tags: string[], api: string, projectId: string): object => ({ tags, links: { self: `${api}/projects/${projectId}/tags` } })

/** Rewrites a project's tags as they are now. */
const rewrite = (store: Deps['store'], id: string, to: (now: string[]) => string[]): Promise<string[]> => store.tx(async (tx) => {
  // The list is read and written back: two at once would lose one of them.
  await projects.lock(tx, id)
  const current = await projects.find(tx, id)
  if (!current) throw missing('project', id)
  checkMutable('project', current)
  const next = to(current.tags)
  await projects.setTags(tx, id, next)
  return next
})

export const listTags = operation({
  name: 'listProjectTags', method: 'GET', path: '/projects/{project_id}/tags', summary: 'List a project\'s tags.', access: policy.showProject, target: projectTarget,
  handle: async (_ctx, { target, urls }) => view(target.tags, urls.api, target.id),
})

export const showTag = operation({
  name: 'checkProjectTag', method: 'GET', path: '/projects/{project_id}/tags/{value}', summary: 'Tell whether a project has a tag.', status: 204, access: policy.showProject, target: projectTarget,
  async handle(_ctx, { target, params }) {
    if (!target.tags.includes(params.value!)) throw missing('project tag', params.value!)
  },
})

export const replaceTags = operation({
  name: 'replaceProjectTags', method: 'PUT', path: '/projects/{project_id}/tags', summary: 'Replace a project\'s tags.', access: policy.changeProject, target: projectTarget,
  body: exact({ tags: field.tags }),
  handle: async (_ctx, { target, body, urls }, { store }) => view(await rewrite(store, target.id, () => trimmed(body.tags)), urls.api, target.id),
})

export const addTag = operation({
  name: 'addProjectTag', method: 'PUT', path: '/projects/{project_id}/tags/{value}', summary: 'Add a tag to a project.', status: 201, access: policy.changeProject, target: projectTarget,
  async handle(_ctx, { target, params, urls }, { store }) {
    const value = params.value!.trim()
    if (value === '' || value.length > 255 || value.includes(',') || value.includes('/')) throw badRequest(`Invalid input for field/attribute value. Value: ${value.slice(0, 60)}. A tag has at most 255 characters, none of them a comma or slash, and one at least that is no space.`)
    await rewrite(store, target.id, (tags) => {
      // Checked as the whole list would be, where no tag comes twice.
      if (tags.includes(value)) throw badRequest(`The project has the tag ${value} already.`)
      if (tags.length >= maxTags) throw badRequest(`A project has at most ${maxTags} tags.`)
      return [...tags, value]
    })
    return new Reply({ headers: { location: `${urls.api}/projects/${target.id}/tags/${encodeURIComponent(value)}` } })
  },
})

export const removeTag = operation({
  name: 'removeProjectTag', method: 'DELETE', path: '/projects/{project_id}/tags/{value}', summary: 'Remove a tag from a project.', access: policy.changeProject, target: projectTarget,
  async handle(_ctx, { target, params }, { store }) {
    await rewrite(store, target.id, (tags) => {
      if (!tags.includes(params.value!)) throw missing('project tag', params.value!)
      return tags.filter((tag) => tag !== params.value)
    })
  },
})

export const clearTags = operation({
  name: 'clearProjectTags', method: 'DELETE', path: '/projects/{project_id}/tags', summary: 'Remove all of a project\'s tags.', access: policy.changeProject, target: projectTarget,
  async handle(_ctx, { target }, { store }) { await rewrite(store, target.id, () => []) },
})
