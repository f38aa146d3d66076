// Tags of a resource: https://docs.openstack.org/api-ref/network/v2/#standard-attributes-tag-extension
import { Type } from '#kit/http/schema.ts'
import { Reply, type Operation } from '#kit/http/operation.ts'
import { operation, type Deps, type NetworkTx } from '../deps.ts'
import { malformed, tagNotFound } from '../faults.ts'
import type { Found, Noun } from '../resource/noun.ts'
import { parameter, targetOf } from '../resource/operations.ts'
import { racing } from '../resource/race.ts'
import { addTags, removeTags, tagsOf, touch } from '../resource/store.ts'

const longest = 60

function checked(tag: string): string {
  if (tag.length === 0 || tag.length > longest) throw malformed(`Invalid input for tag. Reason: '${tag.slice(0, longest)}' exceeds maximum length of ${longest} or is empty.`)
  return tag
}

/** The six operations on a noun's tags. */
export function tagging(noun: Noun): Operation<Deps>[] {
  const path = `${noun.path}/{${parameter(noun)}}/tags`, of = `${noun.title}Tag`, target = targetOf(noun)
  const current = async (tx: NetworkTx, id: string): Promise<string[]> => (await tagsOf(tx, [id])).get(id) ?? []
  /** A change of tags raises the revision, as any other. */
  const changing = <T>(deps: Deps, id: string, work: (tx: NetworkTx, tags: string[]) => Promise<T>): Promise<T> => racing(deps, async (tx) => {
    const found = await noun.find(tx, id)
    if (!found) throw noun.missing(id)
    const result = await work(tx, await current(tx, id))
    await touch(tx, noun.table, found.row)
    return result
  })
  return [
    operation({
      name: `list${of}s`, method: 'GET', path, summary: `List the tags of a ${noun.one}.`, access: noun.reads, target,
      handle: async (_ctx, { target }, { store }) => ({ tags: await store.read((tx) => current(tx, (target as Found<any>).row.id)) }),
    }),
    operation({
      name: `replace${of}s`, method: 'PUT', path, summary: `Replace the tags of a ${noun.one}.`, access: noun.changes, target,
      body: Type.Object({ tags: Type.Array(Type.String(), { maxItems: 500 }) }, { additionalProperties: false }), faults: ['conflict'],
      async handle(_ctx, { body, target }, deps) {
        const tags = [...new Set((body as { tags: string[] }).tags.map(checked))]
        const { id } = (target as Found<any>).row
        await changing(deps, id, async (tx) => { await removeTags(tx, id); await addTags(tx, id, tags) })
        return { tags }
      },
    }),
    operation({
      name: `delete${of}s`, method: 'DELETE', path, summary: `Remove all tags of a ${noun.one}.`, access: noun.changes, target, status: 204, faults: ['conflict'],
      async handle(_ctx, { target }, deps) { await changing(deps, (target as Found<any>).row.id, (tx) => removeTags(tx, (target as Found<any>).row.id)) },
    }),
    operation({
      name: `check${of}`, method: 'GET', path: `${path}/{tag}`, summary: `Does the ${noun.one} have this tag?`, access: noun.reads, target, status: 204,
      async handle(_ctx, { params, target }, { store }) {
        if (!(await store.read((tx) => current(tx, (target as Found<any>).row.id))).includes(params.tag!)) throw tagNotFound(params.tag!)
      },
    }),
    operation({
      name: `add${of}`, method: 'PUT', path: `${path}/{tag}`, summary: `Add a tag to a ${noun.one}.`, access: noun.changes, target, faults: ['badRequest', 'conflict'],
      async handle(_ctx, { params, target }, deps) {
        const tag = checked(params.tag!), { id } = (target as Found<any>).row
        await changing(deps, id, async (tx, tags) => { if (!tags.includes(tag)) await addTags(tx, id, [tag]) })
        return new Reply({ status: 201 })
      },
    }),
    operation({
      name: `delete${of}`, method: 'DELETE', path: `${path}/{tag}`, summary: `Remove a tag of a ${noun.one}.`, access: noun.changes, target, status: 204, faults: ['conflict'],
      async handle(_ctx, { params, target }, deps) {
        const { id } = (target as Found<any>).row
        await changing(deps, id, async (tx, tags) => {
          if (!tags.includes(params.tag!)) throw tagNotFound(params.tag!)
          await removeTags(tx, id, params.tag!)
        })
      },
    }),
  ]
}
