// Lists cost the same number of queries however long they are: shown of every operation `list…`, with what its service's other operations make.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, Call } from '#kit/http/client.ts'
import type { ServiceHttp } from '#kit/http/service.ts'
import type { AccessCase, AccessWorld, AnyPersona } from './access.ts'
import type { TestApi } from './api.ts'
import { queriesOf } from './queries.ts'

/** Makes one more row of what the list with these parameters in its path shows; it may set parameters that no access case gives. */
export type Filler = (world: AccessWorld, params: Record<string, string>) => Promise<unknown>

export interface QueriesSetup {
  /**
   * What makes what a list shows: an operation (`name` or `name, about` of its access case) or a function, where it is not the POST on the same path or the PUT one
   * level below.
   */
  filledBy?: Record<string, string | Filler>
  /** What else is said in a list's query, so that it shows all it can. */
  asked?: Record<string, Record<string, string>>
  /** Lists that nobody makes longer, and why. */
  fixed?: Record<string, string>
}

/** The longest array in an answer, or the number of keys of its longest dictionary. */
const rowsIn = (body: unknown, depth = 0): number => Math.max(0, ...Object.entries(body ?? {}).map(([key, v]) => {
  if (typeof v !== 'object' || v === null || key === 'links') return 0
  return Array.isArray(v) ? v.length : depth === 0 ? Math.max(Object.keys(v).length, rowsIn(v, 1)) : 0
}))
const namesIn = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!)

/** One test a list. `started` is asked when the tests run, so that a `before` hook may start the api. */
export function runQueries(
  service: ServiceHttp, cases: AccessCase[], { filledBy = {}, asked = {}, fixed = {} }: QueriesSetup,
  started: () => { api: Pick<TestApi, 'call'> & { store: { readonly queries: number } }, world: AccessWorld, token?: (persona: AnyPersona) => string | undefined },
): void {
  const lists = service.operations.filter((op) => op.method === 'GET' && op.name.startsWith('list') && !op.internal && fixed[op.name] === undefined)
  test(`${service.name}: what is said of lists is said of lists that are there`, () => {
    const names = service.operations.map((op) => op.name)
    const makers = Object.values(filledBy).flatMap((by) => typeof by === 'string' ? by.split(', ')[0]! : [])
    assert.deepEqual([...Object.keys(filledBy), ...Object.keys(asked), ...Object.keys(fixed), ...makers].filter((name) => !names.includes(name)), [])
  })
  for (const list of lists) {
    const by = filledBy[list.name], own = typeof by === 'function' ? by : undefined
    const post = service.operations.find((op) => op.method === 'POST' && op.path === list.path && !op.action && op.untilNumber === Infinity)
    const put = service.operations.find((op) => op.method === 'PUT' && op.path.startsWith(`${list.path}/{`) && namesIn(op.path.slice(list.path.length)).length === 1)
    const [maker, about] = typeof by === 'string' ? by.split(', ') : [(post ?? put)?.name]
    test(`${service.name}: ${list.name} costs the same number of queries with 1 and with 21 rows`, async () => {
      assert.ok(own ?? maker, 'nothing is known that makes it longer: filledBy says what does, fixed why nothing does')
      const { api, world, token = (persona: AnyPersona) => persona as string } = started()
      const make = cases.find((c) => c.operation === maker && c.about === about) ?? cases.find((c) => c.operation === maker)
      const shown = await cases.find((c) => c.operation === list.name && c.about === undefined)?.request?.(world) ?? {}
      const kept = namesIn(list.path)
      let as: AnyPersona = 'admin', params: Record<string, string> | undefined, last: Record<string, string> = {}, words = 0
      const fill = async (): Promise<unknown> => {
        if (own) return own(world, params ??= shown.params ?? {})
        const call: Call = await make?.request?.(world) ?? {}
        // The first row decides on what all are made in.
        params ??= Object.fromEntries(kept.map((name) => [name, shown.params?.[name] ?? call.params?.[name] ?? '']))
        const made = { ...call, params: { ...call.params, ...params } }
        // Cases that always take the same word say it differently each time.
        for (const [name, value] of Object.entries(made.params)) if (!kept.includes(name) && value === last[name] && value.length < 20) made.params[name] = `${value}${++words}`
        last = { ...call.params }
        let answer = await api.call<any>(token(as), service.name, maker!, made)
        if (answer.status === 403 && as === 'admin') answer = await api.call<any>(token(as = 'member'), service.name, maker!, made)
        if (answer.status === 409) {
          for (const name of Object.keys(made.params)) if (!kept.includes(name)) made.params[name] = `${made.params[name]}${++words}`
          const body = structuredClone(made.body ?? {}) as Record<string, string>
          for (const name of ['name', 'member']) if (typeof body[name] === 'string') body[name] = `${body[name]}${++words}`
          answer = await api.call<any>(token(as), service.name, maker!, { ...made, ...(made.body !== undefined && { body }) })
        }
        assert.ok(answer.status < 300, `${maker} answered ${answer.status} ${JSON.stringify(answer.body)}`)
      }
      const look = async (): Promise<{ rows: number, queries: number }> => {
        const { properties = {} } = (list.querySchema?.schema ?? {}) as { properties?: object }
        const query = { ...shown.query, ...asked[list.name], ...('limit' in properties && { limit: 1000 }) }
        const call: Call = { ...shown, ...(list.until && { version: list.until }), params: params!, query }
        // Who may make it may not always list it.
        let viewer = as, answer = await api.call<any>(token(viewer), service.name, list.name, call) satisfies Answer
        if (answer.status === 403) answer = await api.call<any>(token(viewer = 'admin'), service.name, list.name, call)
        assert.equal(answer.status, 200, JSON.stringify(answer.body))
        return { rows: rowsIn(answer.body), queries: await queriesOf(api.store, () => api.call(token(viewer), service.name, list.name, call)) }
      }
      await fill()
      const one = await look()
      for (let i = 0; i < 20; i++) await fill()
      const many = await look()
      assert.ok(many.rows > one.rows, `${maker ?? 'its filler'} does not make it longer: ${one.rows} → ${many.rows}`)
      assert.equal(many.queries, one.queries, `${one.rows} rows cost ${one.queries} queries, ${many.rows} rows ${many.queries}`)
    })
  }
}
