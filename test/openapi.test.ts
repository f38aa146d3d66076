// Each service's OpenAPI document against the rules of OpenAPI 3.1 and JSON Schema 2020-12, as far as the generator uses them: what it writes beyond them fails.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openapi } from '#kit/http/openapi.ts'
import { check, exact, nullable, oneOf, Type, VersionedSchema, type TProperties } from '#kit/http/schema.ts'
import { services } from '#services/index.ts'

// The objects of the specification. `x-…` is free everywhere.
const spec = <P extends TProperties>(properties: P) => Type.Object(properties, { patternProperties: { '^x-': Type.Unknown() }, additionalProperties: false })
const optional = Type.Optional, text = Type.String({ minLength: 1 }), anything = Type.Unknown()
const record = (pattern: string, of: ReturnType<typeof Type.Unknown> | any) => Type.Unsafe<Record<string, any>>({ type: 'object', patternProperties: { [pattern]: of }, additionalProperties: false })
const media = spec({ schema: optional(anything) }), content = record('^[a-z]+/[a-z0-9.+-]+$', media)
const parameter = spec({ name: text, in: oneOf('path', 'query', 'header', 'cookie'), required: optional(Type.Boolean()), description: optional(text), style: optional(text), explode: optional(Type.Boolean()), schema: anything })
const operation = spec({
  operationId: Type.String({ pattern: '^[a-z]+\\.[A-Za-z0-9-]+$' }), tags: Type.Array(text), summary: text, description: optional(text), parameters: Type.Array(parameter), requestBody: optional(spec({ required: optional(Type.Boolean()), content })),
  responses: record('^([1-5]\\d\\d|default)$', spec({ description: text, headers: optional(anything), content: optional(content) })), security: Type.Array(record('^token$', Type.Array(Type.String()))),
})
const document = new VersionedSchema(spec({
  openapi: Type.Literal('3.1.0'), jsonSchemaDialect: text, info: exact({ title: text, summary: text, version: text, license: exact({ name: text, identifier: text }) }), servers: Type.Array(exact({ url: text })), tags: Type.Array(spec({ name: text })),
  paths: record('^/', record('^(get|put|post|delete|patch|head)$', operation)), components: exact({ securitySchemes: anything }),
}))

// JSON Schema's words and what may stand behind each.
const count = Type.Integer({ minimum: 0 }), type = oneOf('object', 'array', 'string', 'number', 'integer', 'boolean', 'null')
const words: Record<string, VersionedSchema | 'schema' | 'schemas' | 'named'> = {
  properties: 'named', patternProperties: 'named', additionalProperties: 'schema', items: 'schema', not: 'schema', propertyNames: 'schema', contains: 'schema', anyOf: 'schemas', oneOf: 'schemas', allOf: 'schemas', prefixItems: 'schemas',
  ...Object.fromEntries(Object.entries({
    type: Type.Union([type, Type.Array(type)]), enum: Type.Array(anything, { minItems: 1 }), const: anything, required: Type.Array(Type.String(), { uniqueItems: true }), title: text, description: text, format: text, pattern: Type.String(), default: anything,
    minLength: count, maxLength: count, minItems: count, maxItems: count, minProperties: count, maxProperties: count, uniqueItems: Type.Boolean(), minimum: Type.Number(), maximum: Type.Number(), exclusiveMinimum: Type.Number(), exclusiveMaximum: Type.Number(), multipleOf: Type.Number({ exclusiveMinimum: 0 }), readOnly: Type.Boolean(),
    contentEncoding: text, $ref: text, repeats: nullable(Type.Boolean()),
  }).map(([word, schema]) => [word, new VersionedSchema(schema)])),
}
function checkSchema(schema: any, at: string): void {
  if (typeof schema === 'boolean') return
  assert.ok(typeof schema === 'object' && schema !== null && !Array.isArray(schema), `${at}: a schema is an object or a boolean`)
  for (const [word, value] of Object.entries<any>(schema)) {
    const rule = words[word], here = `${at}/${word}`
    if (rule === undefined) assert.ok(word.startsWith('x-'), `${here}: no word of JSON Schema`)
    else if (rule === 'schema') checkSchema(value, here)
    else if (rule === 'schemas') { assert.ok(Array.isArray(value) && value.length > 0, here); value.forEach((one: unknown, i: number) => checkSchema(one, `${here}/${i}`)) }
    else if (rule === 'named') for (const [name, one] of Object.entries(value)) { if (word === 'patternProperties') new RegExp(name, 'u'); checkSchema(one, `${here}/${name}`) }
    else { try { check(rule, 0, value) } catch (error) { throw new Error(here, { cause: error }) } }
  }
  if (schema.pattern !== undefined) assert.doesNotThrow(() => new RegExp(schema.pattern, 'u'), `${at}: its pattern`)
  if (schema.properties && schema.additionalProperties === false) for (const name of schema.required ?? []) assert.ok(Object.hasOwn(schema.properties, name), `${at}: ${name} is required and does not exist`)
}

const wholes = [...services.map(({ http }) => ({ name: http.name, list: [http] })), { name: 'all services together', list: services.map((s) => s.http) }]
for (const { name, list } of wholes) {
  test(`the OpenAPI document of ${name} is valid`, () => {
    const whole = JSON.parse(JSON.stringify(openapi(list, 'https://cloud:5000', '1.2.3')))
    check(document, 0, whole)
    const ids = new Set<string>(), shapes = new Map<string, string>()
    for (const [path, item] of Object.entries<any>(whole.paths)) {
      const shape = path.replace(/\{\w+\}/g, '{}')
      assert.ok(!shapes.has(shape), `${path} and ${shapes.get(shape)} are one path to OpenAPI`)
      shapes.set(shape, path)
      for (const [method, op] of Object.entries<any>(item)) {
        const at = `${method} ${path}`
        assert.ok(!ids.has(op.operationId), `${at}: ${op.operationId} is another's name`)
        ids.add(op.operationId)
        const keys = op.parameters.map((p: any) => `${p.in} ${p.name}`)
        assert.equal(new Set(keys).size, keys.length, `${at}: a parameter twice`)
        assert.deepEqual(op.parameters.filter((p: any) => p.in === 'path').map((p: any) => p.name).sort(), [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort(), `${at}: the path's parameters`)
        for (const p of op.parameters) { assert.ok(p.in !== 'path' || p.required === true, at); checkSchema(p.schema, `${at} ${p.name}`) }
        for (const [type, media] of Object.entries<any>(op.requestBody?.content ?? {})) if (media.schema) checkSchema(media.schema, `${at} ${type}`)
        for (const tag of op.tags) assert.ok(whole.tags.some((t: any) => t.name === tag), `${at}: ${tag} is not among the tags`)
        for (const need of op.security) for (const scheme of Object.keys(need)) assert.ok(whole.components.securitySchemes[scheme], `${at}: ${scheme}`)
      }
    }
    // Nothing points nowhere, and nobody's secrets stand there for an example.
    const walk = (value: any, at: string): void => {
      if (typeof value !== 'object' || value === null) return
      if (typeof value.$ref === 'string') assert.notEqual(value.$ref.slice(2).split('/').reduce((v: any, key: string) => v?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], whole), undefined, `${at}: ${value.$ref}`)
      for (const [key, v] of Object.entries(value)) {
        if (!at.endsWith('/properties')) assert.ok(key !== 'example' && key !== 'examples', `${at}: an example`)
        walk(v, `${at}/${key}`)
      }
    }
    walk(whole, '')
    // Every operation that is not for our own services only is in it.
    const told = new Set<string>(Object.values<any>(whole.paths).flatMap((item) => Object.values<any>(item)).flatMap((op) => [op.operationId.split('.')[1], ...[...op['x-openstack-actions'] ?? [], ...op['x-openstack-former'] ?? []].map((o: any) => o.operation)]))
    assert.deepEqual(list.flatMap((s) => s.operations.filter((op) => !op.internal && !told.has(op.name)).map((op) => `${s.name}.${op.name}`)), [])
  })
}
