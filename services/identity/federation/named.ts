// Five operations of one shape: things whose id the administrator chooses, put, changed, shown, listed and removed below /OS-FEDERATION.
// https://docs.openstack.org/api-ref/identity/v3-ext/#os-federation
import { badRequest } from '#base/errors.ts'
import type { Input, Operation } from '#kit/http/operation.ts'
import { exact, lenient, type TObject, type TSchema } from '#kit/http/schema.ts'
import type { Static } from '#kit/http/schema.ts'
import { operation, type Deps, type IdentityTx } from '../deps.ts'
import { missing } from '../faults.ts'
import { collection } from '../fields.ts'
import * as policy from './policy.ts'

/** A noun whose id stands in its path: providers, protocols, mappings, service providers. */
export interface NamedSpec<R extends { id: string }, C extends TSchema, U extends TSchema> {
  /** `identity provider`, for faults and summaries; `IdentityProvider` and `IdentityProviders` in the operations' names. */
  words: string
  plural: string
  path: string
  /** The last part of the path: `{idp_id}`. */
  param: string
  /** The bodies' key, and the list's. */
  key: string
  keys: string
  query?: TObject
  create: C
  change: U
  view(row: R, api: string): object
  /** Where lists show more. */
  listView?(row: R, api: string): object
  list(tx: IdentityTx, params: Record<string, string>, query: any): Promise<R[]>
  find(tx: IdentityTx, params: Record<string, string>): Promise<R | undefined>
  /** What must be there first: the provider of a protocol. Throws the 404. */
  within?(tx: IdentityTx, params: Record<string, string>): Promise<unknown>
  add(tx: IdentityTx, params: Record<string, string>, body: Static<C>, deps: Deps): Promise<R>
  save(tx: IdentityTx, was: R, body: Static<U>, deps: Deps): Promise<R>
  remove(tx: IdentityTx, row: R): Promise<void>
}

const article = (words: string): string => `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words}`
const pascal = (words: string): string => words.replace(/(?:^|\s)(\w)/g, (_all, c: string) => c.toUpperCase())

/** The row, or the 404. */
export async function found<R extends { id: string }>(
  spec: Pick<NamedSpec<R, any, any>, 'find' | 'within' | 'words' | 'param'>, tx: IdentityTx, params: Record<string, string>,
): Promise<R> {
  await spec.within?.(tx, params)
  const row = await spec.find(tx, params)
  if (!row) throw missing(spec.words, params[spec.param]!)
  return row
}

/** Its five operations: list, show, create, change, delete. */
export function namedOperations<R extends { id: string }, C extends TSchema, U extends TSchema>(spec: NamedSpec<R, C, U>): Operation<Deps>[] {
  const { words, path, key, param } = spec, onePath = `${path}/{${param}}`, name = pascal(words), names = pascal(spec.plural)
  type In = Input<unknown, Record<string, any>, undefined>
  return [
    operation({
      name: `list${names}`, method: 'GET', path, summary: `List ${spec.plural}.`, access: policy.read, query: spec.query ?? lenient({}), faults: ['notFound'],
      async handle(_ctx, { params, query, urls }, { store }) {
        const rows = await store.read(async (tx) => {
          await spec.within?.(tx, params)
          return spec.list(tx, params, query)
        })
        return collection(spec.keys, rows, (row) => (spec.listView ?? spec.view)(row, urls.api), urls)
      },
    }),
    operation({
      name: `show${name}`, method: 'GET', path: onePath, summary: `Show ${article(words)}.`, access: policy.read, faults: ['notFound'],
      handle: async (_ctx, { params, urls }, { store }) => ({ [key]: spec.view(await store.read((tx) => found(spec, tx, params)), urls.api) }),
    }),
    operation({
      name: `create${name}`, method: 'PUT', path: onePath, summary: `Create ${article(words)}.`, status: 201, access: policy.change, body: exact({ [key]: spec.create }),
      faults: ['notFound', 'conflict'],
      async handle(_ctx, { params, body, urls }: In, deps) {
        if (params[param]!.length > 64) throw badRequest(`Invalid input for field/attribute id: an id has at most 64 characters.`)
        const row = await deps.store.tx(async (tx) => {
          await spec.within?.(tx, params)
          return spec.add(tx, params, body[key], deps)
        })
        return { [key]: spec.view(row, urls.api) }
      },
    }),
    operation({
      name: `update${name}`, method: 'PATCH', path: onePath, summary: `Change ${article(words)}.`, access: policy.change, body: exact({ [key]: spec.change }),
      faults: ['notFound', 'conflict'],
      async handle(_ctx, { params, body, urls }: In, deps) {
        const row = await deps.store.tx(async (tx) => spec.save(tx, await found(spec, tx, params), body[key], deps))
        return { [key]: spec.view(row, urls.api) }
      },
    }),
    operation({
      name: `delete${name}`, method: 'DELETE', path: onePath, summary: `Delete ${article(words)}.`, access: policy.change, faults: ['notFound'],
      handle: async (_ctx, { params }, { store }) => store.tx(async (tx) => spec.remove(tx, await found(spec, tx, params))),
    }),
  ]
}
