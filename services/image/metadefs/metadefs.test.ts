import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { queriesOf } from '#kit/testing/queries.ts'
import { startImage, type ImageTest } from '../testing/start.ts'
import { catalogue } from './catalogue.ts'

let api: ImageTest
before(async () => { api = await startImage() })
after(() => api.close())

const v2 = (method: string, path: string, body?: unknown, token = 'admin', headers?: Record<string, string>) => api.http<any>(method, `/image/v2/metadefs${path}`, { token, body, headers })
let names = 0
const fresh = async (more: object = {}): Promise<string> => {
  const namespace = `Test::${++names}`
  const { status, body } = await v2('POST', '/namespaces', { namespace, visibility: 'public', ...more })
  assert.equal(status, 201, JSON.stringify(body))
  return namespace
}
const text = { title: 'T', type: 'string' }

test('the catalogue is there, whole and seen by everybody', async () => {
  const { body } = await v2('GET', '/namespaces?limit=1000', undefined, 'reader')
  const there = new Map(body.namespaces.map((n: any) => [n.namespace, n]))
  for (const one of catalogue) assert.ok(there.has(one.namespace), one.namespace)
  assert.deepEqual(there.get('OS::Compute::CPUPinning'), {
    ...there.get('OS::Compute::CPUPinning') as object, display_name: 'CPU Pinning', visibility: 'public', protected: true, owner: 'admin',
    schema: '/v2/schemas/metadefs/namespace', self: '/v2/metadefs/namespaces/OS::Compute::CPUPinning',
  })
  const types = (await v2('GET', '/resource_types', undefined, 'reader')).body.resource_types.map((t: any) => t.name)
  assert.deepEqual(types, ['OS::Cinder::Volume', 'OS::Glance::Image', 'OS::Nova::Aggregate', 'OS::Nova::Flavor', 'OS::Nova::Server', 'OS::Trove::Instance'])
  for (const one of catalogue) {
    const shown = (await v2('GET', `/namespaces/${one.namespace}`)).body
    assert.deepEqual(shown.properties ?? {}, JSON.parse(JSON.stringify(one.properties)))
    assert.deepEqual((shown.objects ?? []).map((o: any) => o.name).sort(), Object.keys(one.objects ?? {}).sort())
  }
})

test('every definition of the catalogue is one that a client could have sent', async () => {
  for (const one of catalogue) {
    const namespace = `copy of ${one.namespace}`
    const objects = Object.entries(one.objects ?? {}).map(([name, object]) => ({ name, ...object }))
    const body = { namespace, display_name: one.displayName, description: one.description, properties: one.properties, objects, resource_type_associations: one.associations.map(([name, prefix]) => ({ name, ...(prefix && { prefix }) })) }
    const made = await v2('POST', '/namespaces', body)
    assert.equal(made.status, 201, JSON.stringify(made.body))
    assert.equal((await v2('DELETE', `/namespaces/${encodeURIComponent(namespace)}`)).status, 204)
  }
})

test('a namespace is created with its contents, shown, replaced, protected and deleted', async () => {
  const made = await v2('POST', '/namespaces', {
    namespace: 'A::B c', display_name: 'B', description: 'd', protected: true, resource_type_associations: [{ name: 'New::Type', prefix: 'p_', properties_target: 'image' }],
    properties: { a: text }, objects: [{ name: 'o', required: ['x'], properties: { x: text } }], tags: [{ name: 't' }],
  })
  assert.equal(made.status, 201)
  assert.equal(made.headers.get('location'), `${api.publicUrl}/image/v2/metadefs/namespaces/A::B%20c`)
  assert.equal(made.body.visibility, 'private')
  const path = '/namespaces/A::B%20c'
  const { body: shown } = await v2('GET', path)
  assert.deepEqual(shown, made.body)
  assert.deepEqual(shown.properties, { a: text })
  assert.equal(shown.objects[0].self, '/v2/metadefs/namespaces/A::B c/objects/o')
  assert.deepEqual(shown.tags, [{ name: 't' }])
  const { body: prefixed } = await v2('GET', `${path}?resource_type=New::Type`)
  assert.deepEqual(prefixed.properties, { p_a: text })
  assert.deepEqual([prefixed.objects[0].required, prefixed.objects[0].properties], [['p_x'], { p_x: text }])
  assert.deepEqual((await v2('GET', `${path}?resource_type=Other`)).body.properties, { a: text })
  assert.ok((await v2('GET', '/resource_types')).body.resource_types.some((t: any) => t.name === 'New::Type'))

  for (const inside of ['', '/objects', '/objects/o', '/properties', '/properties/a', '/tags', '/tags/t', '/resource_types/New::Type']) assert.equal((await v2('DELETE', path + inside)).status, 403, inside)
  // What it was shown, a client sends back.
  const { created_at: _1, updated_at: _2, schema: _3, self: _4, ...again } = shown
  const put = await v2('PUT', path, { ...again, namespace: 'A::C', display_name: undefined, protected: false, visibility: 'public' })
  assert.equal(put.status, 200, JSON.stringify(put.body))
  assert.deepEqual([put.body.namespace, put.body.display_name, put.body.protected, put.body.visibility], ['A::C', undefined, false, 'public'])
  assert.equal((await v2('GET', path)).status, 404)
  assert.deepEqual((await v2('GET', '/namespaces/A::C')).body.properties, { a: text }, 'contents stay')
  assert.equal((await v2('PUT', '/namespaces/A::C', { namespace: 'OS::Compute::Quota' })).status, 409)
  assert.equal((await v2('POST', '/namespaces', { namespace: 'A::C' })).status, 409)
  assert.equal((await v2('DELETE', '/namespaces/A::C')).status, 204)
  assert.equal((await v2('GET', '/namespaces/A::C')).status, 404)
  assert.equal(await v2('POST', '/namespaces', { namespace: 'A::C' }).then((r) => r.body.properties), undefined, 'nothing of the old one is left')
})

test('nothing is kept of a namespace that could not be made whole', async () => {
  const twice = await v2('POST', '/namespaces', { namespace: 'Half', tags: [{ name: 'a' }, { name: 'a' }] })
  assert.equal(twice.status, 409)
  assert.equal((await v2('GET', '/namespaces/Half')).status, 404)
})

test('namespaces are filtered, sorted and paged, whatever their number at the same number of queries', async () => {
  const mine = [await fresh({ resource_type_associations: [{ name: 'Pages' }] }), await fresh({ resource_type_associations: [{ name: 'Pages' }], visibility: 'private' }), await fresh({ resource_type_associations: [{ name: 'Else' }, { name: 'Pages' }] })]
  const listed = async (query: string, token = 'admin') => {
    const reply = await v2('GET', `/namespaces?${query}`, undefined, token)
    assert.equal(reply.status, 200, JSON.stringify(reply.body))
    return reply.body
  }
  const by = async (query: string, token?: string): Promise<string[]> => (await listed(query, token)).namespaces.map((n: any) => n.namespace)
  assert.deepEqual(await by('resource_types=Pages&sort_key=namespace&sort_dir=asc'), mine)
  assert.deepEqual(await by('resource_types=Pages&sort_key=namespace&sort_dir=asc', 'reader'), [mine[0], mine[2]])
  assert.deepEqual(await by('resource_types=Nothing,Else'), [mine[2]])
  assert.deepEqual(await by('resource_types=Pages&visibility=private'), [mine[1]])
  const first = await listed('resource_types=Pages&limit=2&sort_key=namespace&sort_dir=asc')
  assert.equal(first.first, '/v2/metadefs/namespaces?resource_types=Pages&limit=2&sort_key=namespace&sort_dir=asc')
  assert.equal(first.schema, '/v2/schemas/metadefs/namespaces')
  const second = (await api.http<any>('GET', `/image${first.next}`, { token: 'admin' })).body
  assert.deepEqual([second.namespaces.map((n: any) => n.namespace), second.next], [[mine[2]], undefined])
  assert.deepEqual(second.namespaces[0].resource_type_associations.map((a: any) => a.name), ['Else', 'Pages'])
  for (const [query, status] of [['visibility=shared', 400], ['sort_dir=up', 400], ['sort_key=id', 400], ['limit=x', 400], ['limit=-1', 400], ['marker=unknown', 404]] as const) {
    assert.equal((await v2('GET', `/namespaces?${query}`)).status, status, query)
  }
  assert.equal((await v2('GET', `/namespaces?marker=${mine[1]}`, undefined, 'reader')).status, 404, 'a marker one cannot see is no oracle')
  const cost = (query: string): Promise<number> => queriesOf(api.store, () => by(query))
  assert.equal(await cost('limit=1000'), await cost('limit=2'))
})

test('a private namespace does not exist for other projects', async () => {
  const namespace = await fresh({ visibility: 'private', owner: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', tags: [{ name: 't' }] })
  for (const inside of ['', '/tags', '/tags/t', '/objects', '/properties', '/resource_types']) {
    assert.equal((await v2('GET', `/namespaces/${namespace}${inside}`, undefined, 'reader')).status, 200, inside)
    assert.equal((await v2('GET', `/namespaces/${namespace}${inside}`, undefined, 'other')).status, 404, inside)
  }
})

test('objects: created, listed, replaced under another name, deleted', async () => {
  const path = `/namespaces/${await fresh()}/objects`
  const made = await v2('POST', path, { name: 'a b', description: 'd', required: ['x'], properties: { x: { ...text, enum: ['1'], default: '1', nonsense: 1 } } })
  assert.equal(made.status, 201)
  assert.deepEqual(made.body, {
    name: 'a b', required: ['x'], description: 'd', properties: { x: { ...text, enum: ['1'], default: '1' } }, created_at: made.body.created_at, updated_at: made.body.updated_at,
    schema: '/v2/schemas/metadefs/object', self: `/v2/metadefs${path}/a b`,
  })
  assert.equal((await v2('POST', path, { name: 'a b' })).status, 409)
  assert.deepEqual((await v2('GET', `${path}/a%20b`)).body, made.body)
  const put = await v2('PUT', `${path}/a%20b`, { name: 'c' })
  assert.deepEqual([put.status, put.body.name, put.body.properties, put.body.required, put.body.description], [200, 'c', {}, [], undefined])
  assert.equal((await v2('GET', `${path}/a%20b`)).status, 404)
  await v2('POST', path, { name: 'd' })
  assert.equal((await v2('PUT', `${path}/d`, { name: 'c' })).status, 409)
  const names = async (query = ''): Promise<string[]> => (await v2('GET', path + query)).body.objects.map((o: any) => o.name)
  assert.deepEqual(await names('?sort_key=name&sort_dir=asc'), ['c', 'd'])
  assert.deepEqual(await names('?sort_key=name&sort_dir=asc&limit=1'), ['c'])
  assert.deepEqual(await names('?sort_key=name&sort_dir=asc&marker=c'), ['d'])
  assert.equal((await v2('GET', `${path}?marker=z`)).status, 404)
  assert.equal((await v2('DELETE', `${path}/c`)).status, 204)
  assert.equal((await v2('DELETE', `${path}/c`)).status, 404)
  assert.equal((await v2('DELETE', path)).status, 204)
  assert.deepEqual(await names(), [])
})

test('properties: by their own names and by those they have on a resource type', async () => {
  const path = `/namespaces/${await fresh({ resource_type_associations: [{ name: 'R', prefix: 'hw_' }, { name: 'Bare' }] })}/properties`
  const property = { title: 'N', type: 'array', items: { type: 'string', enum: ['a'] }, uniqueItems: true, minItems: 0, operators: ['<or>'], default: 'a', readonly: false, description: '' }
  assert.deepEqual((await v2('POST', path, { name: 'n', ...property })).body, { name: 'n', ...property })
  assert.deepEqual((await v2('GET', path)).body, { properties: { n: property } })
  assert.equal((await v2('GET', `${path}/hw_n?resource_type=R`)).body.name, 'n')
  for (const wrong of ['n?resource_type=R', 'n?resource_type=Bare', 'hw_n?resource_type=None', 'hw_n']) assert.equal((await v2('GET', `${path}/${wrong}`)).status, 404, wrong)
  assert.deepEqual((await v2('PUT', `${path}/n`, { name: 'm', ...text })).body, { name: 'm', ...text })
  assert.deepEqual((await v2('GET', path)).body, { properties: { m: text } })
})

test('tags: one at a time and many, in the place of the old ones or beside them', async () => {
  const path = `/namespaces/${await fresh()}/tags`
  const names = async (query = ''): Promise<string[]> => (await v2('GET', path + query)).body.tags.map((t: any) => t.name)
  const made = await v2('POST', `${path}/one%2Ftwo`)
  assert.deepEqual([made.status, Object.keys(made.body), made.body.name], [201, ['name', 'created_at', 'updated_at'], 'one/two'])
  assert.equal((await v2('POST', `${path}/one%2Ftwo`)).status, 409)
  assert.equal((await v2('POST', `${path}/${'x'.repeat(81)}`)).status, 400)
  const many = await v2('POST', path, { tags: [{ name: 'a' }, { name: 'b' }] })
  assert.deepEqual([many.status, many.body], [201, { tags: [{ name: 'a' }, { name: 'b' }] }])
  assert.deepEqual(await names('?sort_key=name&sort_dir=asc'), ['a', 'b'])
  const appended = await v2('POST', path, { tags: [{ name: 'c' }] }, 'admin', { 'x-openstack-append': 'True' })
  assert.deepEqual([appended.status, appended.body], [201, { tags: [{ name: 'c' }] }])
  assert.deepEqual(await names('?sort_key=name'), ['c', 'b', 'a'])
  assert.deepEqual(await names('?sort_key=name&sort_dir=asc&marker=a&limit=1'), ['b'])
  assert.equal((await v2('POST', path, { tags: [{ name: 'c' }] }, 'admin', { 'x-openstack-append': 'True' })).status, 409)
  assert.equal((await v2('POST', path, { tags: [{ name: 'd' }, { name: 'd' }] })).status, 409)
  assert.deepEqual(await names('?sort_key=name'), ['c', 'b', 'a'], 'a refused request changes nothing')
  assert.equal((await v2('PUT', `${path}/c`, { name: 'a' })).status, 409)
  assert.equal((await v2('PUT', `${path}/c`, { name: 'z' })).body.name, 'z')
  assert.equal((await v2('DELETE', `${path}/z`)).status, 204)
  assert.equal((await v2('GET', `${path}/z`)).status, 404)
})

test('what the service says of itself cannot be said by others, and nonsense is refused by name', async () => {
  const path = `/namespaces/${await fresh()}`
  for (const [inside, body] of [['/namespaces', { namespace: 'x' }], [`${path}/objects`, { name: 'x' }], [`${path}/properties`, { name: 'x', ...text }], [`${path}/tags`, { tags: [] }], [`${path}/resource_types`, { name: 'x' }]] as const) {
    assert.equal((await v2('POST', inside, { ...body, created_at: '2020-01-01T00:00:00Z' })).status, 403, inside)
    assert.equal((await v2('POST', inside, { ...body, nonsense: 1 })).status, 400, inside)
    assert.equal((await v2('POST', inside, [body])).status, 400, inside)
    assert.equal((await v2('POST', inside)).status, 400, inside)
  }
  for (const body of [{}, { namespace: '' }, { namespace: 'x'.repeat(81) }, { namespace: 1 }, { namespace: 'x', visibility: 'shared' }, { namespace: 'x', protected: 'yes' }, { namespace: 'x', description: 'x'.repeat(501) },
    { namespace: 'x', properties: [] }, { namespace: 'x', properties: { a: { title: 'a' } } }, { namespace: 'x', properties: { a: { title: 'a', type: 'text' } } }, { namespace: 'x', objects: [{}] }, { namespace: 'x', tags: ['a'] }]) {
    const { status, body: said } = await v2('POST', '/namespaces', body)
    assert.equal(status, 400, JSON.stringify([body, said]))
  }
  const strange = await v2('POST', `${path}/objects`, `{"name":"__proto__","properties":{"__proto__":{"title":"t","type":"string"},"constructor":{"title":"t","type":"string"}}}`, 'admin', { 'content-type': 'application/json' })
  assert.deepEqual(Object.keys(strange.body.properties), ['__proto__', 'constructor'])
  assert.equal((await v2('GET', `${path}/objects/__proto__`)).status, 200)
})

test('many at once: a name is taken once', async () => {
  const path = `/namespaces/${await fresh()}/tags/x`
  const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await v2('POST', path)).status))
  assert.deepEqual(statuses.sort(), [201, ...Array<number>(9).fill(409)])
})

test('clients are shown what definitions look like', async () => {
  for (const [word, name] of [['namespace', 'namespace'], ['namespaces', 'namespaces'], ['object', 'object'], ['objects', 'objects'], ['property', 'property'], ['properties', 'properties'], ['tag', 'tag'], ['tags', 'tags'],
    ['resource_type', 'resource_type_association'], ['resource_types', 'resource_type_associations']]) {
    const { status, body } = await api.http<any>('GET', `/image/v2/schemas/metadefs/${word}`, { token: 'reader' })
    assert.deepEqual([status, body.name], [200, name])
    assert.ok(Object.keys(body.properties).length > 0)
  }
})
