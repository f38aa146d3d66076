// Each service's OpenAPI document against OpenAPI 3.1's own schema, each schema in it against JSON Schema 2020-12's, and what those two cannot say of a document.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { openapi } from '#kit/http/openapi.ts'
import { services } from '#services/index.ts'

// Strict: a word that JSON Schema does not know is a mistake. `repeats` is our parameters' own, formats are for readers.
const ajv = new Ajv2020({ strictSchema: true, strictTypes: false, strictTuples: false, strictRequired: false, validateFormats: false, keywords: ['repeats'] })
/** Fails unless `schema` is one, its patterns compile and what it requires can exist. */
function checkSchema(schema: any, at: string): void {
  assert.doesNotThrow(() => ajv.compile(schema), at)
  const walk = (value: any): void => {
    if (typeof value !== 'object' || value === null) return
    if (value.type === 'object' && value.additionalProperties === false) for (const name of value.required ?? []) assert.ok(Object.hasOwn(value.properties, name), `${at}: ${name} is required and does not exist`)
    Object.values(value).forEach(walk)
  }
  walk(schema)
}

const wholes = [...services.map(({ http }) => ({ name: http.name, list: [http] })), { name: 'all services together', list: services.map((s) => s.http) }]
for (const { name, list } of wholes) {
  test(`the OpenAPI document of ${name} is valid`, async () => {
    const whole = JSON.parse(JSON.stringify(openapi(list, 'https://cloud:5000', '1.2.3')))
    const { valid, errors } = await new Validator().validate(structuredClone(whole))
    assert.ok(valid, JSON.stringify(errors))
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
