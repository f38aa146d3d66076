// The five operations every collection has, made from its noun. What differs (how one is made, changed, removed) is handed in.
import type { Context } from '#base/context.ts'
import { Type } from '#kit/http/schema.ts'
import type { Operation, TargetSpec } from '#kit/http/operation.ts'
import * as policy from '../policy.ts'
import { operation, type Deps, type NetworkTx } from '../deps.ts'
import { malformed } from '../faults.ts'
import type { Standard } from '../schema.ts'
import { allowAttributes, bodySchema, convert, viewer, type Attributes, type Values } from './attributes.ts'
import { goesAt, mustBeAt, revisionAsked } from './if-match.ts'
import type { Found, Noun } from './noun.ts'
import { ask, pageLinks, querySchema } from './query.ts'
import { racing } from './race.ts'
import { claim, release, select } from './store.ts'

const words = (title: string): string => title.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
export const parameter = (noun: Noun): string => `${noun.one}_id`

/** Found by the id in the path; who may not read it gets the noun's 404. */
export const targetOf = <R extends Standard>(noun: Noun<R>): TargetSpec<Deps, Found<R>> => ({
  load: (_ctx, params, { store }) => store.read((tx) => noun.find(tx, params[parameter(noun)]!)),
  sees: noun.reads,
  owner: ({ owner }) => owner,
  missing: (params) => noun.missing(params[parameter(noun)]!),
})

/** GET the collection. */
export const listing = <R extends Standard>(noun: Noun<R>): Operation<Deps> => operation({
  name: `list${noun.titles}`, method: 'GET', path: noun.path, summary: `List ${words(noun.titles)}.`,
  access: policy.read,
  query: querySchema(noun), faults: ['notFound'],
  async handle(ctx, { query, urls }, deps) {
    const question = ask(noun, query as Record<string, unknown>, ctx.actor)
    await noun.beforeList?.(ctx, deps)
    const pick = viewer(noun.attributes, ctx.actor, question.fields)
    const { views, ids } = await deps.store.read(async (tx) => {
      const rows = await select(tx, noun, ctx.actor, question)
      return { views: await noun.view(tx, rows, deps), ids: rows.map((row) => row.id) }
    })
    const links = pageLinks(urls.api + noun.path, urls, question, ids)
    return { [noun.many]: views.map(pick), ...(links && { [`${noun.many}_links`]: links }) }
  },
})

/** GET one. */
export const showing = <R extends Standard>(noun: Noun<R>): Operation<Deps> => operation({
  name: `show${noun.title}`, method: 'GET', path: `${noun.path}/{${parameter(noun)}}`, summary: `Show a ${words(noun.title)}.`,
  access: noun.reads, target: targetOf(noun),
  async handle(ctx, { target, query }, deps) {
    const fields = (query as Record<string, unknown>).fields
    const pick = viewer(noun.attributes, ctx.actor, fields === undefined ? [] : [fields].flat() as string[])
    const [view] = await deps.store.read((tx) => noun.view(tx, [target.row], deps))
    return { [noun.one]: pick(view!) }
  },
})

export interface Making<R extends Standard, A extends Attributes> {
  /** Inserts one, in the transaction; may run again. */
  make(tx: NetworkTx, ctx: Context, deps: Deps, values: Values<A>, projectId: string, attempt: number): Promise<R>
  /** What rules look at while attributes are checked, beside the project: the network's owner. */
  targetFor?(tx: NetworkTx, values: Values<A>, ctx: Context): Promise<Partial<policy.NetTarget>>
  /** Counted against the quota by `make` itself. */
  claimsItself?: boolean
}

/** Whose it will be: only administrators (and our services) make things for others. */
export function projectFor(ctx: Context, values: { project_id?: string, tenant_id?: string }): string {
  const { actor } = ctx
  const asked = values.project_id ?? values.tenant_id
  if (values.project_id !== undefined && values.tenant_id !== undefined && values.project_id !== values.tenant_id) throw malformed("'project_id' and 'tenant_id' must match")
  if (asked !== undefined && asked !== actor.projectId && !policy.isAdmin(actor)) {
    throw malformed("Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin privileges")
  }
  const projectId = asked ?? actor.projectId
  if (projectId === undefined) throw malformed("Running without keystone AuthN requires that tenant_id is specified")
  return projectId
}

/** POST one, or many at once: all or none. */
export const creating = <R extends Standard, A extends Attributes>(noun: Noun<R, A>, making: Making<R, A>): Operation<Deps> => operation({
  name: `create${noun.title}`, method: 'POST', path: noun.path, summary: `Create a ${words(noun.title)}, or several.`, status: 201,
  access: policy.change,
  body: bodySchema(noun.attributes, 'post', noun.one, noun.many), faults: ['notFound', 'conflict', 'overQuota'],
  async handle(ctx, { body }, deps) {
    const given = body as Record<string, unknown>
    const one = given[noun.one] as Record<string, unknown> | undefined, many = given[noun.many] as Record<string, unknown>[] | undefined
    if ((one === undefined) === (many === undefined)) throw malformed('Resource body required')
    const bare = (item: Record<string, unknown>): Record<string, unknown> => (item[noun.one] as Record<string, unknown> | undefined) ?? item
    const asked = (many?.map(bare) ?? [one!]).map((item) => { const values = convert(noun.attributes, item); return { values, projectId: projectFor(ctx, values) } })
    const views = await racing(deps, async (tx, attempt) => {
      const rows: R[] = []
      for (const { values, projectId } of asked) {
        const target = { projectId, ...await making.targetFor?.(tx, values, ctx) }
        allowAttributes(noun.attributes, 'post', `create_${noun.one}`, values, ctx.actor, target)
        if (noun.quota && !making.claimsItself) await claim(tx, deps, projectId, noun.quota)
        rows.push(await making.make(tx, ctx, deps, values, projectId, attempt))
      }
      return noun.view(tx, rows, deps)
    })
    const pick = viewer(noun.attributes, ctx.actor)
    return many ? { [noun.many]: views.map(pick) } : { [noun.one]: pick(views[0]!) }
  },
})

/** PUT one: what is given changes, of what is as the caller saw it if he says how. */
export const updating = <R extends Standard, A extends Attributes>(noun: Noun<R, A>, change: (tx: NetworkTx, ctx: Context, deps: Deps, row: R, values: Values<A>, owner: policy.NetTarget, attempt: number) => Promise<R>, { evenForNothing = false } = {}): Operation<Deps> => operation({
  name: `update${noun.title}`, method: 'PUT', path: `${noun.path}/{${parameter(noun)}}`, summary: `Change a ${words(noun.title)}.`,
  access: noun.changes, target: targetOf(noun),
  body: Type.Object({ [noun.one]: (bodySchema(noun.attributes, 'put', noun.one) as { properties: Record<string, never> }).properties[noun.one]! }, { additionalProperties: false }),
  faults: ['conflict', 'preconditionFailed'],
  async handle(ctx, { body, target, headers }, deps) {
    const asked = revisionAsked(headers)
    const values = convert(noun.attributes, (body as unknown as Record<string, Record<string, unknown>>)[noun.one]!)
    allowAttributes(noun.attributes, 'put', `update_${noun.one}`, values, ctx.actor, target.owner)
    const [view] = await racing(deps, async (tx, attempt) => {
      const found = await noun.find(tx, target.row.id)
      if (!found) throw noun.missing(target.row.id)
      mustBeAt(found.row, asked)
      const row = Object.keys(values).length === 0 && !evenForNothing ? found.row : await change(tx, ctx, deps, found.row, values, found.owner, attempt)
      return noun.view(tx, [row], deps)
    })
    return { [noun.one]: viewer(noun.attributes, ctx.actor)(view!) }
  },
})

/** DELETE one. */
export const deleting = <R extends Standard>(noun: Noun<R>, remove: (tx: NetworkTx, ctx: Context, deps: Deps, row: R) => Promise<void>): Operation<Deps> => operation({
  name: `delete${noun.title}`, method: 'DELETE', path: `${noun.path}/{${parameter(noun)}}`, summary: `Delete a ${words(noun.title)}.`, status: 204,
  access: noun.changes, target: targetOf(noun),
  faults: ['conflict', 'preconditionFailed'],
  async handle(ctx, { target, headers }, deps) {
    const asked = revisionAsked(headers)
    await racing(deps, async (tx) => {
      const found = await noun.find(tx, target.row.id)
      if (!found) throw noun.missing(target.row.id)
      await goesAt(tx, noun.table, found.row, asked)
      await remove(tx, ctx, deps, found.row)
      if (noun.quota) await release(tx, found.row.projectId, noun.quota)
    })
  },
})
