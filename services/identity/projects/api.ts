// https://docs.openstack.org/api-ref/identity/v3/#projects
import { badRequest, notFound } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { exact, lenient, nullable, Type } from '#kit/http/schema.ts'
import { flag } from '#kit/store/store.ts'
import { operation, type Deps } from '../deps.ts'
import type { ProjectRow } from '../schema.ts'
import * as policy from './policy.ts'
import * as projects from './store.ts'
import { projectView } from './view.ts'

const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => projects.find(tx, params.project_id!)),
  sees: policy.showProject,
  owner: (row: ProjectRow) => ({ projectId: row.id, domainId: row.domainId }),
  missing: (params: Record<string, string>) => notFound(`Could not find project: ${params.project_id}.`),
}

export const listProjects = operation({
  name: 'listProjects', method: 'GET', path: '/projects', summary: 'List projects.',
  access: policy.listProjects,
  query: lenient({ name: Type.Optional(Type.String()), domain_id: Type.Optional(Type.String()), parent_id: Type.Optional(Type.String()), enabled: Type.Optional(Type.Boolean()) }),
  async handle(_ctx, { query, urls }, { store }) {
    const rows = await store.read((tx) => projects.list(tx, { name: query.name, domainId: query.domain_id, parentId: query.parent_id, enabled: query.enabled, isDomain: false }))
    return { projects: rows.map((row) => projectView(row, urls.api)), links: { self: `${urls.api}/projects`, next: null, previous: null } }
  },
})

export const showProject = operation({
  name: 'showProject', method: 'GET', path: '/projects/{project_id}', summary: 'Show a project.',
  access: policy.showProject, target,
  handle: async (_ctx, { target, urls }) => ({ project: projectView(target, urls.api) }),
})

export const createProject = operation({
  name: 'createProject', method: 'POST', path: '/projects', summary: 'Create a project.', status: 201,
  access: policy.changeProject,
  body: exact({ project: lenient({
    name: Type.String({ minLength: 1, maxLength: 255 }), domain_id: Type.Optional(Type.String()), description: Type.Optional(nullable(Type.String())), enabled: Type.Optional(Type.Boolean()),
  }) }),
  async handle(ctx, { body, urls }, { store }) {
    const { project } = body
    if (project.name.trim() === '') throw badRequest('Invalid input for field/attribute name: it is blank.')
    const domainId = project.domain_id ?? ctx.actor.domainId ?? ctx.actor.projectDomainId ?? 'default'
    const row: ProjectRow = {
      id: newHexId(), name: project.name, domainId, parentId: domainId, isDomain: 0, enabled: flag(project.enabled ?? true), description: project.description ?? '', extra: '{}', createdAt: now(),
    }
    await store.tx((tx) => projects.add(tx, row))
    return { project: projectView(row, urls.api) }
  },
})
