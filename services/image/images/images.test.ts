import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { testOtherProjectId, testProjectId } from '#kit/testing/api.ts'
import { queriesOf } from '#kit/testing/queries.ts'
import { defaultConfig } from '../config.ts'
import { startImage, type ImageTest } from '../testing/start.ts'

let api: ImageTest
before(async () => { api = await startImage() })
after(() => api.close())

const v2 = (method: string, path: string, body?: unknown, token = 'member', headers?: Record<string, string>) => api.http<any>(method, `/image/v2${path}`, { token, body, headers })
const newer = 'application/openstack-images-v2.1-json-patch', older = 'application/openstack-images-v2.0-json-patch'
const patch = (id: string, changes: unknown, token?: string, type = newer) => v2('PATCH', `/images/${id}`, changes, token, { 'content-type': type })
let names = 0
const make = async (more: object = {}, token?: string): Promise<any> => {
  const { status, body } = await v2('POST', '/images', { name: `image ${++names}`, ...more }, token)
  assert.equal(status, 201, JSON.stringify(body))
  return body
}
const listed = async (query: string, token?: string): Promise<string[]> => {
  const { status, body } = await v2('GET', `/images?${query}`, undefined, token)
  assert.equal(status, 200, JSON.stringify(body))
  return body.images.map((i: any) => i.id)
}
const have = (some: string[], ids: string[]): string[] => some.filter((id) => ids.includes(id))

test('an image is created with what it may be given, and refused by name what it may not', async () => {
  const image = await make({ id: '12345678-1234-4234-8234-123456789abc', disk_format: 'qcow2', container_format: 'bare', min_disk: 1, min_ram: 2, tags: ['b', 'a', 'a'], protected: false, os_hidden: true, hw_disk_bus: 'scsi', visibility: 'private' })
  assert.deepEqual({ ...image, name: '', created_at: '', updated_at: '' }, {
    hw_disk_bus: 'scsi', name: '', disk_format: 'qcow2', container_format: 'bare', visibility: 'private', size: null, virtual_size: null, status: 'queued', checksum: null, protected: false, min_ram: 2, min_disk: 1,
    owner: testProjectId, os_hidden: true, os_hash_algo: null, os_hash_value: null, id: image.id, created_at: '', updated_at: '', tags: ['a', 'b'], self: `/v2/images/${image.id}`, file: `/v2/images/${image.id}/file`, schema: '/v2/schemas/image',
  })
  for (const [body, status] of [
    [{ id: image.id }, 409], [{ id: 'x' }, 400], [{ id: image.id.replaceAll('-', '') }, 400], [{ name: 1 }, 400], [{ name: 'x'.repeat(256) }, 400], [{ disk_format: 'floppy' }, 400], [{ container_format: 1 }, 400], [{ min_disk: -1 }, 400],
    [{ min_ram: 'x' }, 400], [{ visibility: 'secret' }, 400], [{ protected: 'yes' }, 400], [{ tags: 'x' }, 400], [{ tags: ['x'.repeat(256)] }, 400], [{ tags: Array.from({ length: 129 }, (_, i) => `t${i}`) }, 413],
    [Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`p${i}`, ''])), 413], [{ p: 1 }, 400], [{ p: null }, 400], [{ ['x'.repeat(256)]: '' }, 400], [{ p: 'x'.repeat(65_536) }, 400],
    [{ size: 1 }, 403], [{ status: 'active' }, 403], [{ checksum: 'x' }, 403], [{ locations: [] }, 403], [{ stores: 'x' }, 403], [{ deleted: 'x' }, 403], [{ location: 'x' }, 403], [{ os_glance_x: 'x' }, 403], [{ self: 'x' }, 403],
    [{ owner: testOtherProjectId }, 403], [{ visibility: 'public' }, 403], [[], 400], ['x', 400],
  ] as const) {
    const reply = await v2('POST', '/images', body)
    assert.equal(reply.status, status, JSON.stringify([body, reply.body]).slice(0, 300))
  }
  assert.equal((await make({ owner: testOtherProjectId, visibility: 'public' }, 'admin')).owner, testOtherProjectId)
  const own = await api.http<any>('POST', '/image/v2/images', { token: 'member', headers: { 'content-type': 'application/json' }, body: '{"__proto__":"a","constructor":"b"}' })
  assert.deepEqual([Object.getOwnPropertyDescriptor(own.body, '__proto__')?.value, own.body.constructor], ['a', 'b'])
})

test('patches of both dialects', async () => {
  const { id } = await make({ kept: 'k', gone: 'g', 'a/b': 'slash', 'c~d': 'tilde' })
  const done = await patch(id, [
    { op: 'replace', path: '/name', value: 'new' }, { op: 'add', path: '/added', value: 'a' }, { op: 'add', path: '/kept', value: 'k2' }, { op: 'remove', path: '/gone' }, { op: 'replace', path: '/tags', value: ['t'] },
    { op: 'remove', path: '/a~1b' }, { op: 'replace', path: '/c~0d', value: 'T' }, { op: 'replace', path: '/disk_format', value: 'raw' }, { op: 'add', path: '/min_ram', value: 5 },
  ])
  assert.equal(done.status, 200, JSON.stringify(done.body))
  assert.deepEqual([done.body.name, done.body.added, done.body.kept, done.body.gone, done.body.tags, done.body['a/b'], done.body['c~d'], done.body.disk_format, done.body.min_ram], ['new', 'a', 'k2', undefined, ['t'], undefined, 'T', 'raw', 5])
  assert.deepEqual((await patch(id, [])).body, done.body)
  const old = await patch(id, [{ replace: '/name', value: 'old' }, { add: '/more', value: 'm' }, { remove: '/added' }], undefined, older)
  assert.deepEqual([old.status, old.body.name, old.body.more, old.body.added], [200, 'old', 'm', undefined])
  assert.equal((await patch(id, [{ add: '/name', value: 'x' }], undefined, older)).status, 409, 'the older add does not replace')
  for (const [change, status] of [
    [{ op: 'move', path: '/name', value: 'x' }, 400], [{ path: '/name', value: 'x' }, 400], [{ op: 'replace', value: 'x' }, 400], [{ op: 'replace', path: '/name' }, 400], [{ op: 'replace', path: 'name', value: 'x' }, 400],
    [{ op: 'replace', path: '/', value: 'x' }, 400], [{ op: 'replace', path: '//name', value: 'x' }, 400], [{ op: 'replace', path: '/name/', value: 'x' }, 400], [{ op: 'replace', path: '/name/x', value: 'x' }, 400], [{ op: 'replace', path: '/a~2', value: 'x' }, 400],
    [{ op: 'replace', path: '/a~', value: 'x' }, 400], [{ op: 'add', path: '/tags/-', value: 'x' }, 400], [{ op: 'replace', path: 1, value: 'x' }, 400], [{ op: 'replace', path: '/name', value: 1 }, 400], [{ op: 'replace', path: '/tags', value: 'x' }, 400],
    [{ op: 'replace', path: '/none', value: 'x' }, 409], [{ op: 'remove', path: '/none' }, 409], [{ op: 'remove', path: '/name' }, 403], [{ op: 'replace', path: '/id', value: 'x' }, 403], [{ op: 'remove', path: '/size' }, 403],
    [{ op: 'add', path: '/status', value: 'active' }, 403], [{ op: 'add', path: '/os_glance_x', value: 'x' }, 403], [{ op: 'add', path: '/deleted', value: 'x' }, 403], [{ op: 'replace', path: '/locations', value: [] }, 403],
    [{ op: 'add', path: '/locations/-', value: {} }, 403], [{ op: 'add', path: '/locations', value: {} }, 400], [{ op: 'replace', path: '/owner', value: testOtherProjectId }, 403], [{ op: 'replace', path: '/visibility', value: 'public' }, 403],
    [{ op: 'replace', path: '/toString', value: 'x' }, 409], ['x', 400], [null, 400],
  ] as const) {
    const reply = await patch(id, [{ op: 'add', path: '/never', value: 'x' }, change])
    assert.equal(reply.status, status, JSON.stringify([change, reply.body]))
  }
  assert.equal((await v2('GET', `/images/${id}`)).body.never, undefined, 'all of a patch or nothing')
  for (const body of [{}, 'x', 1]) assert.equal((await patch(id, JSON.stringify(body))).status, 400)
  const plain = await v2('PATCH', `/images/${id}`, [{ op: 'replace', path: '/name', value: 'x' }])
  assert.deepEqual([plain.status, plain.headers.get('accept-patch')], [415, `${older}, ${newer}`])
  assert.equal((await patch(id, [{ op: 'replace', path: '/owner', value: testOtherProjectId }, { op: 'replace', path: '/visibility', value: 'public' }], 'admin')).status, 200)
  assert.equal((await patch(id, [{ op: 'replace', path: '/name', value: 'x' }])).status, 403, 'seen, but another\'s')
})

test('as many properties and tags as there may be, and none more', async () => {
  const full = await make({ tags: Array.from({ length: 128 }, (_, i) => `t${i}`), ...Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`p${i}`, 'x'])) })
  assert.equal((await patch(full.id, [{ op: 'add', path: '/one', value: 'more' }])).status, 413)
  assert.equal((await patch(full.id, [{ op: 'add', path: '/one', value: 'more' }, { op: 'remove', path: '/p0' }])).status, 200, 'for another')
  assert.equal((await v2('PUT', `/images/${full.id}/tags/one`)).status, 413)
  assert.equal((await v2('PUT', `/images/${full.id}/tags/t1`)).status, 204)
  assert.equal((await v2('DELETE', `/images/${full.id}/tags/one`)).status, 404, 'refused means not added')
  assert.equal((await v2('PUT', `/images/${full.id}/tags/${'x'.repeat(256)}`)).status, 400)
})

test('lists: who sees which visibility', async () => {
  const of = Object.fromEntries(await Promise.all(['private', 'shared', 'community', 'public'].map(async (visibility) => [visibility, (await make({ visibility }, visibility === 'public' ? 'admin' : 'member')).id])))
  const theirs = (await make({ visibility: 'community' }, 'other')).id
  const ids: string[] = [...Object.values(of), theirs] as string[]
  const names = async (query: string, token: string): Promise<string[]> => {
    const seen = await listed(`limit=1000&${query}`, token)
    return [...Object.entries(of).filter(([, id]) => seen.includes(id as string)).map(([name]) => name), ...(seen.includes(theirs) ? ['theirs'] : [])]
  }
  assert.deepEqual(await names('', 'reader'), ['private', 'shared', 'community', 'public'])
  assert.deepEqual(await names('', 'other'), ['public', 'theirs'])
  assert.deepEqual(await names('visibility=all', 'other'), ['community', 'public', 'theirs'])
  assert.deepEqual(await names('visibility=community', 'reader'), ['community', 'theirs'])
  assert.deepEqual(await names('visibility=private', 'other'), [])
  assert.deepEqual(await names('', 'admin'), ['private', 'shared', 'public'])
  assert.deepEqual(await names('visibility=all', 'admin'), ['private', 'shared', 'community', 'public', 'theirs'])
  assert.deepEqual(await names(`owner=${testProjectId}`, 'reader'), ['private', 'shared', 'community'])

  // Shared: what the member says to it decides.
  const shared = of.shared as string, member = (method: string, path = '', body?: object, token?: string) => v2(method, `/images/${shared}/members${path}`, body, token)
  assert.equal((await member('POST', '', { member: testOtherProjectId })).status, 200)
  assert.deepEqual(await names('visibility=shared', 'other'), [])
  assert.deepEqual(await names('visibility=shared&member_status=pending', 'other'), ['shared'])
  assert.equal((await v2('GET', `/images/${shared}`, undefined, 'other')).status, 200, 'by its id it is seen before it is accepted')
  await member('PUT', `/${testOtherProjectId}`, { status: 'accepted' }, 'other')
  assert.deepEqual(await names('', 'other'), ['shared', 'public', 'theirs'])
  await member('PUT', `/${testOtherProjectId}`, { status: 'rejected' }, 'other')
  assert.deepEqual(await names('', 'other'), ['public', 'theirs'])
  assert.deepEqual(await names('visibility=shared&member_status=all', 'other'), ['shared'])
  assert.deepEqual(have(await listed('os_hidden=true&limit=1000'), ids), [])
})

test('lists: more conditions than anybody has are refused, not handed to the database', async () => {
  for (const query of ['virtual_size_min=1&', 'min_ram_max=1&', 'colour=red&']) assert.equal((await v2('GET', `/images?${query.repeat(1500)}`)).status, 400, query)
})

test('lists: filters', async () => {
  const tag = 'filters'
  const a = await make({ tags: [tag, 'one'], name: 'a,b', disk_format: 'raw', container_format: 'bare', min_disk: 3, colour: 'red' })
  const b = await make({ tags: [tag, 'one', 'two'], name: 'debian:12', disk_format: 'qcow2', container_format: 'bare', colour: 'red', size_of_it: 'x' })
  const c = await make({ tags: [tag], name: 'c', disk_format: 'vmdk', protected: true })
  const hidden = await make({ tags: [tag], os_hidden: true })
  const upload = await v2('PUT', `/images/${a.id}/file`, Buffer.alloc(512), 'member', { 'content-type': 'application/octet-stream' })
  assert.equal(upload.status, 204)
  const { checksum, os_hash_value: hash, created_at: madeAt, updated_at: changedAt } = (await v2('GET', `/images/${a.id}`)).body
  const found = async (query: string): Promise<string> => (await listed(`tag=${tag}&sort=name:asc&${query}`)).map((id) => ({ [a.id]: 'a', [b.id]: 'b', [c.id]: 'c', [hidden.id]: 'h' })[id]).join('')
  for (const [query, expected] of [
    ['', 'acb'], ['tag=one', 'ab'], ['tag=one&tag=two', 'b'], ['tag=%20one%20', 'ab'], ['tag=three', ''], ['name=c', 'c'], ['name=in:c,"a,b"', 'ac'], ['name=eq:c', 'c'], ['name=debian:12', 'b'], ['name=in:', ''], [`id=in:${a.id},${c.id}`, 'ac'],
    ['status=active', 'a'], ['status=in:active,queued', 'acb'], ['disk_format=in:raw,qcow2', 'ab'], ['container_format=bare', 'ab'], ['colour=red', 'ab'], ['colour=red&size_of_it=x', 'b'], ['colour=blue', ''],
    ['size_min=512', 'a'], ['size_min=513', ''], ['size_max=511', ''], ['size_min=1&size_max=1000', 'a'], ['size=512', 'a'], ['min_disk=3', 'a'], ['min_disk=0', 'cb'], [`checksum=${checksum}`, 'a'], [`os_hash_value=${hash}`, 'a'], [`os_hash_algo=sha512`, 'a'],
    ['protected=true', 'c'], ['protected=False', 'ab'], ['os_hidden=true', 'h'], [`owner=${testProjectId}`, 'acb'], ['owner=x', ''],
    [`updated_at=${changedAt}&status=active`, 'a'], [`created_at=eq:${madeAt}&name=a,b`, 'a'], [`created_at=neq:${madeAt}&name=a,b`, ''], [`created_at=gt:${madeAt}&name=a,b`, ''], [`created_at=gte:${madeAt}&name=a,b`, 'a'], [`created_at=lt:${madeAt}&name=a,b`, ''],
    [`created_at=lte:${madeAt}&name=a,b`, 'a'], ['created_at=gt:2020-01-01', 'acb'], ['created_at=lt:2020-01-01T00:00:00%2B02:00', ''], ['created_at=gte:2020-01-01T10:00:00', 'acb'],
  ] as const) assert.equal(await found(query), expected, query)
  for (const query of ['name=in:"a', 'name=in:"a"b', 'name=gt:a', 'created_at=x', 'created_at=gt:', 'created_at=near:2020-01-01', 'size_min=x', 'size_max=-1', 'min_ram=x', 'os_hidden=maybe', 'protected=1', 'visibility=x', 'member_status=x', 'changes-since=2020-01-01',
    'sort=x', 'sort=name:up', 'sort=name&sort_key=name', 'sort_key=owner', 'sort_key=name&sort_key=id&sort_key=size&sort_dir=asc&sort_dir=desc', 'sort_dir=up', 'limit=-1', 'limit=x', 'marker=x', `name=in:${'x,'.repeat(1001)}`]) {
    assert.equal((await v2('GET', `/images?${query}`)).status, 400, query)
  }
})

test('lists: order and pages', async () => {
  const tag = 'pages', names = ['b', 'a', 'c', 'a', null]
  const made: any[] = []
  for (const name of names) {
    made.push(await make({ name, tags: [tag] }))
    // No two in one millisecond: their order would be their ids'.
    for (const at = Date.now(); Date.now() === at;) await new Promise((resolve) => setImmediate(resolve))
  }
  const order = async (query: string): Promise<number[]> => (await listed(`tag=${tag}&${query}`)).map((id) => made.findIndex((m) => m.id === id))
  assert.deepEqual(await order(''), [4, 3, 2, 1, 0])
  assert.deepEqual(await order('sort=created_at:asc'), [0, 1, 2, 3, 4])
  assert.deepEqual(await order('sort=name:asc,created_at:desc'), [4, 3, 1, 0, 2])
  assert.deepEqual(await order('sort_key=name&sort_key=created_at&sort_dir=desc&sort_dir=asc'), [2, 0, 1, 3, 4])
  assert.deepEqual(await order('sort_key=name&sort_dir=asc'), [4, 1, 3, 0, 2])
  assert.deepEqual(await order('sort=size,created_at:asc'), [0, 1, 2, 3, 4], 'what has no size is as if empty')
  for (const sort of ['sort=name:asc', 'sort=size:asc,name:desc', 'sort_dir=asc', '']) {
    const whole = await order(sort), pages: number[] = []
    let path = `/v2/images?tag=${tag}&limit=2&${sort}`
    for (let i = 0; i < 10 && path; i++) {
      const { body } = await api.http<any>('GET', `/image${path}`, { token: 'member' })
      pages.push(...body.images.map((one: any) => made.findIndex((m) => m.id === one.id)))
      assert.equal(body.first.includes('marker'), false)
      path = body.next
    }
    assert.deepEqual(pages, whole, sort)
  }
  assert.deepEqual((await v2('GET', `/images?limit=0&tag=${tag}`)).body, { images: [], first: `/v2/images?limit=0&tag=${tag}`, schema: '/v2/schemas/images' })
  const secret = (await make({ visibility: 'private' })).id
  assert.equal((await v2('GET', `/images?marker=${secret}`, undefined, 'other')).status, 400, 'a marker one cannot see is no oracle')
  assert.equal((await v2('GET', `/images?marker=${secret}`)).status, 200)
})

test('a list costs the same number of queries however long it is', async () => {
  const cost = (limit: number): Promise<number> => queriesOf(api.store, () => listed(`limit=${limit}`))
  assert.ok((await listed('limit=1')).length === 1 && (await listed('limit=1000')).length > 10)
  assert.equal(await cost(1), await cost(1000))
})

test('members: who sees, adds, accepts and removes them', async () => {
  const { id } = await make({ visibility: 'shared' }), path = `/images/${id}/members`, third = 'cccccccccccccccccccccccccccccccc'
  assert.equal((await v2('GET', path, undefined, 'other')).status, 404, 'not yet theirs')
  const added = await v2('POST', path, { member: testOtherProjectId })
  assert.deepEqual([added.status, added.body], [200, { member_id: testOtherProjectId, image_id: id, status: 'pending', created_at: added.body.created_at, updated_at: added.body.updated_at, schema: '/v2/schemas/member' }])
  assert.equal((await v2('POST', path, { member: testOtherProjectId })).status, 409)
  for (const body of [{}, { member: '' }, { member: 1 }, [], { member: third, more: 1 }]) assert.equal((await v2('POST', path, body)).status, 400, JSON.stringify(body))
  await v2('POST', path, { member: third })
  assert.deepEqual((await v2('GET', path)).body.members.map((m: any) => m.member_id), [testOtherProjectId, third])
  assert.deepEqual((await v2('GET', path, undefined, 'other')).body.members.map((m: any) => m.member_id), [testOtherProjectId], 'himself, not his neighbours')
  assert.equal((await v2('GET', `${path}/${third}`, undefined, 'other')).status, 404)
  assert.equal((await v2('PUT', `${path}/${third}`, { status: 'accepted' }, 'other')).status, 404)
  assert.equal((await v2('PUT', `${path}/${testOtherProjectId}`, { status: 'accepted' })).status, 403, 'the owner cannot accept for another')
  assert.equal((await v2('PUT', `${path}/${testOtherProjectId}`, { status: 'maybe' }, 'other')).status, 400)
  assert.equal((await v2('PUT', `${path}/${testOtherProjectId}`, { status: 'accepted', member_id: testOtherProjectId }, 'other')).body.status, 'accepted')
  assert.equal((await v2('PUT', `${path}/nobody`, { status: 'accepted' }, 'admin')).status, 404)
  assert.equal((await v2('POST', path, { member: 'x' }, 'other')).status, 403)
  assert.equal((await v2('DELETE', `${path}/${testOtherProjectId}`, undefined, 'other')).status, 403)
  assert.equal((await v2('DELETE', `${path}/${third}`)).status, 204)
  assert.equal((await v2('DELETE', `${path}/${third}`)).status, 404)
  await patch(id, [{ op: 'replace', path: '/visibility', value: 'private' }])
  for (const [method, inside, body, status] of [['GET', '', undefined, 403], ['POST', '', { member: third }, 403], ['GET', `/${testOtherProjectId}`, undefined, 404], ['DELETE', `/${testOtherProjectId}`, undefined, 403]] as const) {
    const reply = await v2(method, path + inside, body)
    assert.equal(reply.status, status, method + inside)
  }
  assert.equal((await v2('GET', `/images/${id}`, undefined, 'other')).status, 404, 'a private image is no longer shared')
})

test('no more members than there may be', async () => {
  const { id } = await make({ visibility: 'shared' })
  const statuses = await Promise.all(Array.from({ length: 130 }, async (_, i) => (await v2('POST', `/images/${id}/members`, { member: `m${i}` })).status))
  assert.deepEqual([statuses.filter((s) => s === 200).length, statuses.filter((s) => s === 413).length], [128, 2])
})

test('an empty id is no image\'s', async () => {
  for (const method of ['GET', 'DELETE']) assert.equal((await v2(method, '/images/')).status, 404, method)
  assert.equal((await v2('GET', '/images')).status, 200)
})

test('errors are a page to who does not ask for JSON: glance\'s own client reads nothing else', async () => {
  const type = async (accept: string): Promise<string | null> => (await v2('GET', '/images/none', undefined, 'member', { accept })).headers.get('content-type')
  for (const accept of ['*/*', '', 'text/html', 'text/html, application/json', 'application/json;q=0.5, */*']) assert.match((await type(accept))!, /^text\/html/, accept)
  for (const accept of ['application/json', 'application/json, */*;q=0.5', 'text/plain', 'text/html;q=0.1, application/*', 'text/html;q=x']) assert.equal(await type(accept), 'application/json', accept)
  const { bytes } = await v2('GET', '/images/%3Cb%3E', undefined, 'member', { accept: '*/*' })
  assert.match(bytes.toString(), /<h1>404 Not Found<\/h1>\n  No image found with ID &lt;b&gt;<br/)
})

test('patches at the same time are all kept', async () => {
  const { id } = await make()
  const statuses = await Promise.all(Array.from({ length: 20 }, async (_, i) => (await patch(id, [{ op: 'add', path: `/p${i}`, value: String(i) }])).status))
  assert.deepEqual(statuses, Array<number>(20).fill(200))
  const shown = (await v2('GET', `/images/${id}`)).body
  for (let i = 0; i < 20; i++) assert.equal(shown[`p${i}`], String(i))
})

test('properties that OpenStack gives a meaning hold what it says', async () => {
  const id = '00000000-1111-2222-3333-444455556666', patchType = { 'content-type': 'application/openstack-images-v2.1-json-patch' }
  const create = (body: object) => api.http<any>('POST', '/image/v2/images', { token: 'member', body })
  for (const body of [{ kernel_id: 'x' }, { ramdisk_id: 'x' }, { kernel_id: '' }, { ramdisk_id: 5 }, { cinder_encryption_key_deletion_policy: 'sometimes' }, { architecture: null }, { kernel_id: `${id} or so` }]) assert.equal((await create(body)).status, 400, JSON.stringify(body))
  const made = await create({ kernel_id: id, ramdisk_id: null, cinder_encryption_key_deletion_policy: 'do_not_delete' })
  assert.deepEqual([made.status, made.body.kernel_id, 'ramdisk_id' in made.body], [201, id, false])
  const patched = await api.http<any>('PATCH', `/image/v2/images/${made.body.id}`, { token: 'member', body: [{ op: 'replace', path: '/kernel_id', value: null }], headers: patchType })
  assert.deepEqual([patched.status, 'kernel_id' in patched.body], [200, false])
  const schema = (await api.http<any>('GET', '/image/v2/schemas/image', { token: 'member' })).body
  assert.deepEqual([schema.properties.kernel_id.is_base, schema.properties.os_distro.type], [false, 'string'])
})

test('how many properties, tags and members one image may have is the operator\'s to say', async () => {
  const on = await startImage({ config: { ...defaultConfig, perImage: { properties: 2, tags: 1, members: 1 } } })
  try {
    const create = async (body: object): Promise<number> => (await on.http('POST', '/image/v2/images', { token: 'member', body })).status
    assert.deepEqual([await create({ a: '1', b: '2', tags: ['x'] }), await create({ a: '1', b: '2', c: '3' }), await create({ tags: ['x', 'y'] })], [201, 413, 413])
    const id = await on.make({ visibility: 'shared', tags: ['x'] })
    const tag = await on.http<any>('PUT', `/image/v2/images/${id}/tags/y`, { token: 'member' })
    assert.equal(tag.status, 413)
    const share = async (member: string): Promise<number> => (await on.http('POST', `/image/v2/images/${id}/members`, { token: 'member', body: { member } })).status
    assert.deepEqual([await share('p1'), await share('p2'), await share('p1')], [200, 413, 409])
  } finally {
    await on.close()
  }
  const free = await startImage({ config: { ...defaultConfig, perImage: { properties: -1, tags: -1, members: -1 } } })
  try {
    assert.equal((await free.http('POST', '/image/v2/images', { token: 'member', body: Object.fromEntries(Array.from({ length: 300 }, (_x, i) => [`p${i}`, 'x'])) })).status, 201)
  } finally {
    await free.close()
  }
})
