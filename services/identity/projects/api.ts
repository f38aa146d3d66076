// https://docs.openstack.org/api-ref/identity/v3/#projects
import { badRequest, forbidden } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { exact, lenient, nullable, Type } from '#kit/http/schema.ts'
import { authenticated } from '#kit/policy/rules.ts'
import { flag } from '#kit/store/store.ts'
import type { Context } from '#base/context.ts'
import type { Input } from '#kit/http/operation.ts'
import { operation, type Deps } from '../deps.ts'
import * as domains from '../domains/store.ts'
import { missing, refused } from '../faults.ts'
import { checkDeletable, checkFixed, collection, extraOf, field, isOn, listQuery, mergeOptions, optionsAfter, pageOf, termsOf, trimmed } from '../fields.ts'
import { models } from '../limits/model.ts'
import { byProject as limitsByProject } from '../limits/store.ts'
import { limitView } from '../limits/view.ts'
import { cloudAdmin } from '../policy.ts'
import { projectIdsOf } from '../tokens/scopes-store.ts'
import * as policy from './policy.ts'
import * as projects from './store.ts'
import { childrenOf, parentIds, parentsOf, subtreeIds, subtreeOf } from './tree.ts'
import { projectView } from './view.ts'

/** For the rules, a project belongs to itself; one that acts as a domain belongs to no domain, not even itself. */
export const projectTarget = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => projects.find(tx, params.project_id!)),
  sees: policy.showProject,
  owner: (row: projects.TaggedProject) => ({ projectId: row.id, domainId: row.domainId || null }),
  missing: (params: Record<string, string>) => missing('project', params.project_id!),
}

/** The domain a new thing lands in: the one asked for, the token's own, its project's, the default one. */
const homeDomain = (ctx: Context, asked: string | null | undefined): string => asked ?? ctx.actor.domainId ?? ctx.actor.projectDomainId ?? 'default'
/** A creation's target is where the new thing will stand. */
export const inDomain = (of: (body: any) => { domain_id?: string | null | undefined }) => ({
  load: async (ctx: Context, _params: unknown, _deps: Deps, input: Input<any, any, unknown>) => ({ domainId: homeDomain(ctx, of(input.body).domain_id) }),
  sees: authenticated,
  missing: () => missing('domain', ''),
})

/** What lists of projects are narrowed by. */
export const projectFilters = { name: 'name', domain_id: 'domainId', parent_id: 'parentId', enabled: { flag: 'enabled' } }
const tagList = (text: string | undefined): string[] | undefined => text?.split(',')
export const listProjects = operation({
  name: 'listProjects', method: 'GET', path: '/projects', summary: 'List projects.',
  access: policy.listProjects,
  query: listQuery({
    tags: Type.Optional(Type.String()), 'tags-any': Type.Optional(Type.String()), 'not-tags': Type.Optional(Type.String()), 'not-tags-any': Type.Optional(Type.String()),
  }),
  async handle({ actor }, { query, urls }, { store, config }) {
    const page = pageOf(query, config.listLimit)
    // With a domain's token one sees that domain.
    const rows = await store.read((tx) => projects.list(tx, {
      terms: termsOf({ is_domain: false, ...query }, { ...projectFilters, is_domain: { flag: 'isDomain' } }), domainId: actor.domainId,
      tags: tagList(query.tags), tagsAny: tagList(query['tags-any']), notTags: tagList(query['not-tags']), notTagsAny: tagList(query['not-tags-any']),
    }, page))
    return collection('projects', rows, (row) => projectView(row, urls.api), urls, page)
  },
})

export const showProject = operation({
  name: 'showProject', method: 'GET', path: '/projects/{project_id}', summary: 'Show a project.',
  access: policy.showProject, target: projectTarget,
  query: lenient({
    parents_as_list: Type.Optional(Type.String()), parents_as_ids: Type.Optional(Type.String()),
    subtree_as_list: Type.Optional(Type.String()), subtree_as_ids: Type.Optional(Type.String()),
    include_limits: Type.Optional(Type.String()),
  }),
  async handle({ actor }, { query, target, urls }, { store }) {
    const { parents_as_list, parents_as_ids, subtree_as_list, subtree_as_ids, include_limits } = query
    if (isOn(parents_as_list) && isOn(parents_as_ids)) throw badRequest('Cannot use parents_as_list and parents_as_ids query params at the same time.')
    if (isOn(subtree_as_list) && isOn(subtree_as_ids)) throw badRequest('Cannot use subtree_as_list and subtree_as_ids query params at the same time.')
    const view = projectView(target, urls.api)
    if (![parents_as_list, parents_as_ids, subtree_as_list, subtree_as_ids].some(isOn)) return { project: view }
    const lists = { parents: isOn(parents_as_list), subtree: isOn(subtree_as_list) }
    const { parents, children, seen, limits } = await store.read(async (tx) => {
      const all = new Map((await projects.ofDomain(tx, target.domainId || target.id)).map((p) => [p.id, p]))
      const parents = parentsOf(target, all), children = childrenOf(all.values())
      // Ids are everybody's who may see the project; of the projects themselves, each sees those he has a role in.
      const own = lists.parents || lists.subtree ? new Set(await projectIdsOf(tx, actor.userId)) : new Set<string>()
      const seen = { parents: lists.parents ? parents.filter((p) => own.has(p.id)) : [], subtree: lists.subtree ? subtreeOf(target.id, children).filter((p) => own.has(p.id)) : [] }
      return { parents, children, seen, limits: isOn(include_limits) ? await limitsByProject(tx, [...seen.parents, ...seen.subtree].map((p) => p.id)) : undefined }
    })
    const wrapped = (rows: projects.TaggedProject[]) =>
      rows.map((p) => ({ project: { ...projectView(p, urls.api), ...(limits && { limits: (limits.get(p.id) ?? []).map((limit) => limitView(limit, urls.api)) }) } }))
    return { project: {
      ...view,
      ...(lists.parents && { parents: wrapped(seen.parents) }), ...(isOn(parents_as_ids) && { parents: parentIds(parents, target.domainId) }),
      ...(lists.subtree && { subtree: wrapped(seen.subtree) }), ...(isOn(subtree_as_ids) && { subtree: subtreeIds(target.id, children) }),
    } }
  },
})

const known = ['id', 'name', 'domain_id', 'parent_id', 'is_domain', 'enabled', 'description', 'tags', 'options', 'links'] as const
const fields = {
  name: field.name(64), description: Type.Optional(field.description), enabled: Type.Optional(field.enabled),
  tags: Type.Optional(field.tags), options: Type.Optional(field.options),
}
/** keystone's limit, the domain counted; a model of limits may have a lower one. */
const maxDepth = 5

export const createProject = operation({
  name: 'createProject', method: 'POST', path: '/projects', summary: 'Create a project.', status: 201,
  access: policy.changeProject, target: inDomain((body) => body.project),
  body: exact({ project: lenient({
    ...fields, domain_id: Type.Optional(nullable(field.id)), parent_id: Type.Optional(nullable(field.id)), is_domain: Type.Optional(Type.Boolean()),
  }) }),
  faults: ['conflict'],
  async handle({ actor }, { body, target, urls }, { store, config }) {
    const { project } = body
    const isDomain = project.is_domain === true
    if (isDomain && !cloudAdmin.allows(actor)) throw refused('createProject')
    if (isDomain && (project.domain_id || project.parent_id)) throw badRequest('A project that acts as a domain stands below no other: it has neither domain_id nor parent_id.')
    const domainId = isDomain ? '' : project.domain_id ?? target.domainId
    const row: projects.TaggedProject = {
      id: newHexId(), name: project.name.trim(), domainId, parentId: isDomain ? null : project.parent_id ?? domainId,
      isDomain: flag(isDomain), enabled: flag(project.enabled ?? true), description: project.description ?? '',
      tags: trimmed(project.tags ?? []), options: mergeOptions(project.options), extra: extraOf(project, known), generation: 0, createdAt: now(),
    }
    await store.tx(async (tx) => {
      if (isDomain) return projects.add(tx, row)
      const parent = await projects.find(tx, row.parentId!)
      if (!parent) throw badRequest(`Could not find project: ${row.parentId}.`)
      // A parent says which domain it is, unless the request says another.
      const parentDomain = parent.isDomain ? parent.id : parent.domainId
      if (project.parent_id && !project.domain_id) row.domainId = parentDomain
      // What the request said of the domain was judged; what its parent says is not yet.
      if (!policy.changeProject.allows(actor, { domainId: row.domainId })) throw refused('createProject')
      if (row.domainId !== parentDomain) throw badRequest('Cannot create project, since it specifies its domain_id but its parent is in another domain.')
      if (!parent.enabled) throw badRequest(`Cannot create project, the parent (${parent.id}) is disabled.`)
      if (!parent.isDomain) {
        const all = new Map((await projects.ofDomain(tx, parentDomain)).map((p) => [p.id, p]))
        if (parentsOf(parent, all).length + 3 > (models[config.enforcementModel].maxDepth ?? maxDepth)) throw forbidden(`Max hierarchy depth reached for ${parent.id} branch.`)
      }
      await projects.add(tx, row)
    })
    return { project: projectView(row, urls.api) }
  },
})

export const updateProject = operation({
  name: 'updateProject', method: 'PATCH', path: '/projects/{project_id}', summary: 'Change a project.',
  access: policy.changeProject, target: projectTarget,
  body: exact({ project: lenient({
    ...fields, name: Type.Optional(fields.name),
    domain_id: Type.Optional(nullable(Type.String())), parent_id: Type.Optional(nullable(Type.String())), is_domain: Type.Optional(Type.Boolean()),
  }, { minProperties: 1 }) }),
  faults: ['conflict'],
  async handle(_ctx, { body: { project }, target, urls }, { store }) {
    const row = await store.tx(async (tx) => {
      const current = await projects.find(tx, target.id)
      if (!current) throw missing('project', target.id)
      checkFixed(project, { id: target.id })
      const options = optionsAfter(current.isDomain ? 'domain' : 'project', current, project)
      if (project.domain_id !== undefined && project.domain_id !== (current.domainId || null)) throw badRequest('Cannot change Domain ID')
      if (project.parent_id !== undefined && project.parent_id !== current.parentId) throw forbidden('Update of `parent_id` is not allowed.')
      if (project.is_domain !== undefined && project.is_domain !== (current.isDomain === 1)) throw badRequest('Update of `is_domain` is not allowed.')
      const enabled = flag(project.enabled ?? current.enabled === 1)
      if (!current.isDomain) await checkEnabling(tx, current, enabled === 1)
      const next: projects.TaggedProject = {
        ...current, name: project.name?.trim() ?? current.name, enabled, tags: project.tags ? trimmed(project.tags) : current.tags,
        description: project.description === undefined ? current.description : project.description ?? '',
        options, extra: extraOf(project, known, current),
        generation: Number(current.generation) + (current.enabled === 1 && enabled === 0 ? 1 : 0),
      }
      await projects.save(tx, current, next)
      if (current.isDomain && current.enabled === 1 && enabled === 0) await domains.endTokens(tx, current.id)
      return next
    })
    return { project: projectView(row, urls.api) }
  },
})

/** A disabled project has no enabled one below it. */
async function checkEnabling(tx: Parameters<typeof projects.ofDomain>[0], current: projects.TaggedProject, enabled: boolean): Promise<void> {
  if (enabled === (current.enabled === 1)) return
  const all = new Map((await projects.ofDomain(tx, current.domainId)).map((p) => [p.id, p]))
  if (enabled && parentsOf(current, all).some((p) => !p.enabled)) throw forbidden(`Cannot enable project ${current.id} since it has disabled parents.`)
  if (!enabled && subtreeOf(current.id, childrenOf(all.values())).some((p) => p.enabled)) {
    throw forbidden(`Cannot disable project ${current.id} since its subtree contains enabled projects.`)
  }
}

export const deleteProject = operation({
  name: 'deleteProject', method: 'DELETE', path: '/projects/{project_id}', summary: 'Delete a project.',
  access: policy.changeProject, target: projectTarget,
  async handle({ actor }, { target }, { store }) {
    if (target.isDomain && target.enabled) throw forbidden('Cannot delete a domain that is enabled, please disable it first.')
    if (target.isDomain && !cloudAdmin.allows(actor)) throw refused('deleteProject')
    checkDeletable('project', target)
    await store.tx(async (tx) => {
      if (await projects.hasChildren(tx, target.id)) throw forbidden(`Cannot delete the project ${target.id} since it is not a leaf in the hierarchy.`)
      if (target.isDomain) await domains.removeWithContents(tx, target.id)
      else await projects.remove(tx, [target.id])
    })
  },
})

