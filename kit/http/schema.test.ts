import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, exact, exactSince, reshaped, since, Type, VersionedSchema, versionNumber } from './schema.ts'

const accepts = (schema: VersionedSchema, version: string, value: unknown): boolean => { try { check(schema, versionNumber(version), value); return true } catch { return false } }

test('a field with since() exists from its version on and stays optional', () => {
  const schema = new VersionedSchema(exact({ name: Type.String(), description: since('2.19', Type.Optional(Type.String())), old: since('2.1', Type.Optional(Type.String()), '2.20') }))
  assert.ok(accepts(schema, '2.1', { name: 'a' }))
  assert.ok(!accepts(schema, '2.1', { name: 'a', description: 'd' }))
  assert.ok(accepts(schema, '2.19', { name: 'a', description: 'd' }))
  assert.ok(accepts(schema, '2.20', { name: 'a', old: 'd' }))
  assert.ok(!accepts(schema, '2.21', { name: 'a', old: 'd' }))
})

test('a reshaped field changes its type, its being required, and may vanish', () => {
  const schema = new VersionedSchema(exact({ networks: reshaped({ '2.1': Type.Optional(Type.Array(Type.String())), '2.37': Type.String(), '2.50': null, '2.60': Type.Integer() }) }))
  assert.ok(accepts(schema, '2.1', {}))
  assert.ok(accepts(schema, '2.36', { networks: ['a'] }))
  assert.ok(!accepts(schema, '2.37', {}))
  assert.ok(accepts(schema, '2.37', { networks: 'auto' }))
  assert.ok(!accepts(schema, '2.37', { networks: ['a'] }))
  assert.ok(accepts(schema, '2.50', {}))
  assert.ok(!accepts(schema, '2.50', { networks: 'auto' }))
  assert.ok(accepts(schema, '2.60', { networks: 3 }))
})

test('exactSince lets unknown keys pass before its version only', () => {
  const schema = new VersionedSchema(exactSince('2.75', { limit: Type.Optional(Type.Integer()) }))
  assert.ok(accepts(schema, '2.74', { nonsense: 'x' }))
  assert.ok(!accepts(schema, '2.75', { nonsense: 'x' }))
})

test('a property that is called like one of our own words is an ordinary property', () => {
  const schema = new VersionedSchema(exact({ since: Type.Optional(Type.String()), versions: Type.Optional(Type.String()), n: since('2.2', Type.Optional(Type.String())) }))
  assert.ok(accepts(schema, '2.1', { since: 'a', versions: 'b' }))
})

test('a record takes no key that its pattern does not match, whatever stands behind it', () => {
  const inventories = new VersionedSchema(exact({ inventories: Type.Record(Type.String({ pattern: '^[A-Z]+$' }), Type.Integer()), all: Type.Optional(Type.Record(Type.String(), Type.Integer())) }))
  assert.ok(accepts(inventories, '1.0', { inventories: { VCPU: 1 }, all: { x: 1 } }))
  assert.ok(!accepts(inventories, '1.0', { inventories: { a: 'text' } }))
  assert.ok(!accepts(inventories, '1.0', { inventories: {}, all: { 'a\nb': 'text' } }))
})

test('an integer without bounds has those within which JSON is exact', () => {
  const schema = new VersionedSchema(exact({ generation: Type.Integer(), count: Type.Optional(Type.Integer({ minimum: 1 })) }))
  assert.ok(accepts(schema, '1.0', { generation: -5, count: 2 ** 40 }))
  assert.ok(!accepts(schema, '1.0', { generation: 1e308 }) && !accepts(schema, '1.0', { generation: 0, count: 2 ** 60 }))
})
