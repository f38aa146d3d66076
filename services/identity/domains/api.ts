// https://docs.openstack.org/api-ref/identity/v3/#domains
import { forbidden } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { exact, lenient, Type } from '#kit/http/schema.ts'
import { flag } from '#kit/store/store.ts'
import { operation, type Deps } from '../deps.ts'
import { missing, taken } from '../faults.ts'
import { checkDeletable, checkFixed, collection, extraOf, field, listQuery, mergeOptions, optionsAfter, pageOf, termsOf, trimmed } from '../fields.ts'
import type { Term } from '../lists-store.ts'
import * as projects from '../projects/store.ts'
import type { TaggedProject } from '../projects/store.ts'
import * as policy from './policy.ts'
import * as domains from './store.ts'
import { domainView } from './view.ts'

const domainTarget = {
  async load(_ctx: unknown, params: Record<string, string>, { store }: Deps): Promise<TaggedProject | undefined> {
    const found = await store.read((tx) => projects.find(tx, params.domain_id!))
    return found?.isDomain ? found : undefined
  },
  sees: policy.showDomain,
  owner: (row: TaggedProject) => ({ domainId: row.id }),
  missing: (params: Record<string, string>) => missing('domain', params.domain_id!),
}

export const listDomains = operation({
  name: 'listDomains', method: 'GET', path: '/domains', summary: 'List domains.', access: policy.listDomains,
  query: listQuery(),
  async handle({ actor }, { query, urls }, { store, config }) {
    const page = pageOf(query, config.listLimit)
    const own: Term[] = actor.domainId === undefined ? [] : [{ column: 'id', how: 'is', value: actor.domainId }]
    const rows = await store.read((tx) => projects.list(tx, { terms: [...termsOf(query, { name: 'name', enabled: { flag: 'enabled' } }), ...own], isDomain: true }, page))
    return collection('domains', rows, (row) => domainView(row, urls.api), urls, page)
  },
})

export const showDomain = operation({
  name: 'showDomain', method: 'GET', path: '/domains/{domain_id}', summary: 'Show a domain.', access: policy.showDomain, target: domainTarget,
  handle: async (_ctx, { target, urls }) => ({ domain: domainView(target, urls.api) }),
})

const known = ['id', 'name', 'enabled', 'description', 'tags', 'options', 'links', 'explicit_domain_id', 'is_domain', 'domain_id', 'parent_id'] as const
const fields = {
  name: field.name(64), description: Type.Optional(field.description), enabled: Type.Optional(field.enabled),
  tags: Type.Optional(field.tags), options: Type.Optional(field.options),
}

export const createDomain = operation({
  name: 'createDomain', method: 'POST', path: '/domains', summary: 'Create a domain.', status: 201, access: policy.changeDomain,
  body: exact({ domain: lenient({ ...fields, explicit_domain_id: Type.Optional(Type.String({ pattern: '^[0-9a-f]{32}$' })) }) }),
  faults: ['conflict'],
  async handle(_ctx, { body: { domain }, urls }, { store }) {
    const row: TaggedProject = {
      id: domain.explicit_domain_id ?? newHexId(), name: domain.name.trim(), domainId: '', parentId: null, isDomain: 1,
      enabled: flag(domain.enabled ?? true), description: domain.description ?? '',
      tags: trimmed(domain.tags ?? []), options: mergeOptions(domain.options), extra: extraOf(domain, known), generation: 0, createdAt: now(),
    }
    await store.tx(async (tx) => {
      if (domain.explicit_domain_id && await projects.find(tx, row.id)) throw taken('domain', row.id)
      await projects.add(tx, row)
    })
    return { domain: domainView(row, urls.api) }
  },
})

export const updateDomain = operation({
  name: 'updateDomain', method: 'PATCH', path: '/domains/{domain_id}', summary: 'Change a domain.', access: policy.changeDomain, target: domainTarget,
  body: exact({ domain: lenient({ ...fields, name: Type.Optional(fields.name) }, { minProperties: 1 }) }),
  faults: ['conflict'],
  async handle(_ctx, { body: { domain }, target, urls }, { store }) {
    const row = await store.tx(async (tx) => {
      const current = await projects.find(tx, target.id)
      if (!current) throw missing('domain', target.id)
      checkFixed(domain, { id: target.id })
      const options = optionsAfter('domain', current, domain)
      const enabled = flag(domain.enabled ?? current.enabled === 1)
      const next: TaggedProject = {
        ...current, name: domain.name?.trim() ?? current.name, enabled, tags: domain.tags ? trimmed(domain.tags) : current.tags,
        description: domain.description === undefined ? current.description : domain.description ?? '',
        options, extra: extraOf(domain, known, current),
        generation: Number(current.generation) + (current.enabled === 1 && enabled === 0 ? 1 : 0),
      }
      await projects.save(tx, current, next)
      // Whoever belongs to a disabled domain stays outside with the tokens he had.
      if (current.enabled === 1 && enabled === 0) await domains.endTokens(tx, current.id)
      return next
    })
    return { domain: domainView(row, urls.api) }
  },
})

export const deleteDomain = operation({
  name: 'deleteDomain', method: 'DELETE', path: '/domains/{domain_id}', summary: 'Delete a disabled domain with all that is in it.',
  access: policy.changeDomain, target: domainTarget,
  async handle(_ctx, { target }, { store }) {
    checkDeletable('domain', target)
    await store.tx(async (tx) => {
      const current = await projects.find(tx, target.id)
      if (!current) throw missing('domain', target.id)
      if (current.enabled) throw forbidden('Cannot delete a domain that is enabled, please disable it first.')
      await domains.removeWithContents(tx, target.id)
    })
  },
})
