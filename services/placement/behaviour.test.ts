// What placement does, version by version: facts learnt from the reference and from the original's own tests.
import assert from 'node:assert/strict'
import { id, stories, type Step } from './testing.ts'

const json = { 'content-type': 'application/json' }
const rp = (n: number): string => `/resource_providers/${id(n)}`
const bare = (n: number): string => id(n).replaceAll('-', '')
const make = (n: number, parent?: number): Step => ({ ask: 'POST /resource_providers', at: '1.39', body: { name: `rp${n}`, uuid: id(n), ...(parent !== undefined && { parent_provider_uuid: id(parent) }) }, status: 200 })
const stock = (n: number, inventories: object, generation = 0): Step => ({ ask: `PUT ${rp(n)}/inventories`, body: { resource_provider_generation: generation, inventories }, status: 200 })
const use = (n: number, consumer: number, resources: object, status: number, more: object = {}): Step =>
  ({ ask: `PUT /allocations/${id(consumer)}`, at: '1.38', body: { allocations: { [id(n)]: { resources } }, project_id: 'p', user_id: 'u', consumer_generation: null, consumer_type: 'INSTANCE', ...more }, status })
const undated = { reply: (r: { headers: Headers }) => { assert.equal(r.headers.get('last-modified'), null); assert.equal(r.headers.get('cache-control'), null) } }
const dated = { reply: (r: { headers: Headers }) => { assert.match(r.headers.get('last-modified') ?? '', /^\w{3}, \d{2} \w{3} \d{4} [\d:]{8} GMT$/); assert.equal(r.headers.get('cache-control'), 'no-cache') } }

stories({
  'HTTP and versions': [
    { ask: 'GET /', status: 200, has: { versions: [{ id: 'v1.0', min_version: '1.0', max_version: '1.39', status: 'CURRENT', links: [{ rel: 'self', href: '' }] }] }, ...undated },
    { ask: 'GET /', at: '1.15', status: 200, ...dated },
    { ask: 'GET /', at: 'latest', status: 200, reply: (r) => assert.equal(r.headers.get('openstack-api-version'), 'placement 1.39') },
    { ask: 'GET /resource_providers', status: 200, reply: (r) => assert.equal(r.headers.get('openstack-api-version'), 'placement 1.0') },
    { ask: 'GET /resource_providers', at: '1.40', status: 406, has: { errors: [{ status: 406, title: 'Not Acceptable', max_version: '1.39', min_version: '1.0' }] } },
    { ask: 'GET /resource_providers', at: 'pony.horse', status: 400, has: { errors: [{ title: 'Bad Request' }] } },
    { ask: 'GET /barnabas', status: 404, has: /"title":"Not Found".*req-/ },
    { ask: 'DELETE /resource_providers', status: 405, has: { errors: [{ title: 'Method Not Allowed' }] }, reply: (r) => assert.equal(r.headers.get('allow'), 'GET, POST') },
    { ask: `GET ${rp(1)}`, status: 404, reply: (r) => assert.equal('code' in r.body.errors[0], false) },
    { ask: `GET ${rp(1)}`, at: '1.23', status: 404, code: 'placement.undefined_code' },
    { ask: 'GET /resource_providers', headers: { accept: 'text/plain' }, status: 406, has: /Only application\/json is provided/ },
    { ask: 'GET /resource_providers', headers: { accept: 'text/html,application/xml;q=0.9,*/*;q=0.8' }, status: 200 },
    { ask: 'POST /resource_providers', headers: { 'content-type': 'text/plain' }, body: 'me!', status: 415 },
    { ask: `PUT ${rp(1)}`, status: 415, has: /media type None is not supported/ },
    { ask: 'POST /resource_providers', headers: json, body: '{"name"', status: 400 },
    { ask: 'POST /resource_providers', body: { transport: 'car' }, status: 400 },
    // Paths that came later are not there before.
    ...['GET /traits 1.6', 'GET /resource_classes 1.2', `GET ${rp(1)}/aggregates 1.1`, 'GET /usages?project_id=p 1.9', 'GET /allocation_candidates?resources=VCPU:1 1.10'].flatMap((line): Step[] => {
      const [method, path, from] = line.split(' ') as [string, string, string], before = `1.${Number(from.split('.')[1]) - 1}`
      return [{ ask: `${method} ${path}`, at: before, status: 404 }, ...(path.includes('aggregates') ? [] : [{ ask: `${method} ${path}`, at: from, status: 200 }])]
    }),
    { ask: 'POST /allocations', at: '1.12', body: {}, status: 404 }, { ask: 'POST /reshaper', at: '1.29', body: {}, status: 404 },
  ],
  'resource providers': [
    { ask: 'POST /resource_providers', body: { name: 'a', uuid: id(1) }, status: 201, reply: (r) => { assert.match(r.headers.get('location')!, new RegExp(`/placement${rp(1)}$`)); assert.equal(r.bytes.length, 0) } },
    { ask: 'POST /resource_providers', at: '1.20', body: { name: 'b', uuid: id(2).replaceAll('-', '') }, status: 200, has: { uuid: id(2), generation: 0, parent_provider_uuid: null, root_provider_uuid: id(2) }, ...dated },
    { ask: 'POST /resource_providers', at: '1.23', body: { name: 'a' }, status: 409, code: 'placement.duplicate_name' },
    { ask: 'POST /resource_providers', at: '1.23', body: { name: 'c', uuid: id(1) }, status: 409, code: 'placement.duplicate_name' },
    { ask: 'POST /resource_providers', at: '1.13', body: { name: 'c', parent_provider_uuid: id(1) }, status: 400 },
    { ask: 'POST /resource_providers', body: { name: 'x'.repeat(201) }, status: 400 }, { ask: 'POST /resource_providers', body: { name: 'c', uuid: 'zebra' }, status: 400 },
    { ask: `GET ${rp(1)}`, status: 200, has: { name: 'a' }, reply: (r) => { assert.deepEqual(r.body.links.map((l: any) => l.rel), ['self', 'inventories', 'usages']); assert.equal('root_provider_uuid' in r.body, false) } },
    { ask: `GET ${rp(1)}`, at: '1.11', status: 200, reply: (r) => assert.deepEqual(r.body.links.map((l: any) => l.rel), ['self', 'inventories', 'usages', 'aggregates', 'traits', 'allocations']) },
    { ask: `PUT ${rp(1)}`, body: { name: 'b' }, at: '1.23', status: 409, code: 'placement.duplicate_name' },
    { ask: `PUT ${rp(1)}`, body: { name: 'a1' }, status: 200, has: { name: 'a1' } }, { ask: `PUT ${rp(1)}`, body: { name: 'a1', uuid: id(3) }, status: 400 },
    { ask: 'GET /resource_providers?name=a1', status: 200, has: { resource_providers: [{ uuid: id(1) }] } }, { ask: `GET /resource_providers?uuid=${id(2)}`, status: 200, has: { resource_providers: [{ name: 'b' }] } },
    { ask: 'GET /resource_providers?uuid=zebra', status: 400 }, { ask: 'GET /resource_providers?spoon=1', status: 400 }, { ask: `GET /resource_providers?member_of=${id(7)}`, at: '1.2', status: 400 },
    { ask: `DELETE ${rp(2)}`, status: 204 }, { ask: `DELETE ${rp(2)}`, status: 404 },
  ],
  trees: [
    make(1), make(2, 1), make(3, 2), make(4),
    { ask: 'POST /resource_providers', at: '1.39', body: { name: 'x', parent_provider_uuid: id(9) }, status: 400, has: /parent provider UUID does not exist/ },
    { ask: 'POST /resource_providers', at: '1.39', body: { name: 'x', uuid: id(9), parent_provider_uuid: id(9) }, status: 400, has: /cannot be same as UUID/ },
    { ask: `GET ${rp(3)}`, at: '1.14', status: 200, has: { parent_provider_uuid: id(2), root_provider_uuid: id(1) } },
    { ask: `GET /resource_providers?in_tree=${id(3)}`, at: '1.14', status: 200, reply: (r) => assert.deepEqual(r.body.resource_providers.map((p: any) => p.name), ['rp1', 'rp2', 'rp3']) },
    { ask: `GET /resource_providers?in_tree=${id(9)}`, at: '1.14', status: 200, has: { resource_providers: [] } },
    { ask: `DELETE ${rp(1)}`, at: '1.23', status: 409, code: 'placement.resource_provider.cannot_delete_parent' },
    { ask: `PUT ${rp(3)}`, at: '1.36', body: { name: 'rp3', parent_provider_uuid: id(4) }, status: 400, has: /re-parenting/ }, { ask: `PUT ${rp(3)}`, at: '1.36', body: { name: 'rp3', parent_provider_uuid: null }, status: 400, has: /un-parenting/ },
    { ask: `PUT ${rp(3)}`, at: '1.36', body: { name: 'rp3', parent_provider_uuid: id(2) }, status: 200 },
    { ask: `PUT ${rp(4)}`, at: '1.14', body: { name: 'rp4', parent_provider_uuid: id(3) }, status: 200, has: { root_provider_uuid: id(1) } },
    { ask: `PUT ${rp(1)}`, at: '1.37', body: { name: 'rp1', parent_provider_uuid: id(4) }, status: 400, has: /loop/ }, { ask: `PUT ${rp(2)}`, at: '1.37', body: { name: 'rp2', parent_provider_uuid: id(2) }, status: 400, has: /loop/ },
    { ask: `PUT ${rp(2)}`, at: '1.37', body: { name: 'rp2', parent_provider_uuid: null }, status: 200, has: { parent_provider_uuid: null, root_provider_uuid: id(2) } },
    { ask: `GET ${rp(4)}`, at: '1.37', status: 200, has: { root_provider_uuid: id(2), parent_provider_uuid: id(3) } },
    { ask: `PUT ${rp(4)}`, at: '1.37', body: { name: 'rp4', parent_provider_uuid: id(1) }, status: 200, has: { root_provider_uuid: id(1) } },
  ],
  inventories: [
    make(1), { ask: `GET ${rp(1)}/inventories`, status: 200, has: { resource_provider_generation: 0, inventories: {} } }, { ask: `GET ${rp(9)}/inventories`, status: 404 },
    { ask: `POST ${rp(1)}/inventories`, body: { resource_class: 'VCPU', total: 8 }, status: 201, has: { resource_provider_generation: 1, total: 8, reserved: 0, min_unit: 1, max_unit: 2147483647, step_size: 1, allocation_ratio: 1 } },
    { ask: `POST ${rp(1)}/inventories`, at: '1.23', body: { resource_class: 'VCPU', total: 8 }, status: 409, code: 'placement.concurrent_update' },
    { ask: `POST ${rp(1)}/inventories`, body: { resource_class: 'NOSUCH', total: 8 }, status: 400 }, { ask: `POST ${rp(1)}/inventories`, body: { resource_class: 'DISK_GB', total: 0 }, status: 400 },
    { ask: `POST ${rp(1)}/inventories`, at: '1.25', body: { resource_class: 'DISK_GB', total: 5, reserved: 5 }, status: 400 }, { ask: `POST ${rp(1)}/inventories`, at: '1.26', body: { resource_class: 'DISK_GB', total: 5, reserved: 6 }, status: 400 },
    { ask: `POST ${rp(1)}/inventories`, at: '1.26', body: { resource_class: 'DISK_GB', total: 5, reserved: 5 }, status: 201, ...dated },
    { ask: `PUT ${rp(1)}/inventories/VCPU`, at: '1.23', body: { resource_provider_generation: 1, total: 9 }, status: 409, code: 'placement.concurrent_update' },
    { ask: `PUT ${rp(1)}/inventories/VCPU`, body: { resource_provider_generation: 2, total: 9, allocation_ratio: 2.5 }, status: 200, has: { total: 9, allocation_ratio: 2.5, resource_provider_generation: 3 } },
    { ask: `PUT ${rp(1)}/inventories/MEMORY_MB`, body: { resource_provider_generation: 3, total: 9 }, status: 400 }, { ask: `PUT ${rp(1)}/inventories/VCPU`, body: { total: 9 }, status: 400 },
    { ask: `GET ${rp(1)}/inventories/VCPU`, status: 200, has: { total: 9 } }, { ask: `GET ${rp(1)}/inventories/MEMORY_MB`, status: 404 },
    { ask: `DELETE ${rp(1)}/inventories/DISK_GB`, status: 204 }, { ask: `DELETE ${rp(1)}/inventories/DISK_GB`, status: 404 },
    stock(1, { VCPU: { total: 4 }, MEMORY_MB: { total: 100 } }, 4), { ask: `PUT ${rp(1)}/inventories`, body: { resource_provider_generation: 5, inventories: { NOSUCH: { total: 1 } } }, status: 400 },
    { ask: `PUT ${rp(1)}/inventories`, at: '1.23', body: { resource_provider_generation: 4, inventories: {} }, status: 409, code: 'placement.concurrent_update' },
    use(1, 50, { VCPU: 2 }, 204),
    { ask: `PUT ${rp(1)}/inventories`, at: '1.23', body: { resource_provider_generation: 6, inventories: { MEMORY_MB: { total: 1 } } }, status: 409, code: 'placement.inventory.inuse' },
    { ask: `DELETE ${rp(1)}/inventories/VCPU`, status: 409 }, { ask: `DELETE ${rp(1)}/inventories`, at: '1.23', status: 409, code: 'placement.inventory.inuse' }, { ask: `DELETE ${rp(1)}`, at: '1.23', status: 409, code: 'placement.resource_provider.inuse' },
    // Below what is used is allowed; then less may be taken, and no more.
    { ask: `PUT ${rp(1)}/inventories/VCPU`, body: { resource_provider_generation: 6, total: 1 }, status: 200 }, use(1, 51, { VCPU: 1 }, 409),
    use(1, 50, { VCPU: 2 }, 204, { consumer_generation: 1 }), { ask: `DELETE /allocations/${id(50)}`, status: 204 },
    { ask: `DELETE ${rp(1)}/inventories`, at: '1.4', status: 405 }, { ask: `DELETE ${rp(1)}/inventories`, at: '1.5', status: 204 }, { ask: `GET ${rp(1)}/inventories`, status: 200, has: { inventories: {} } },
  ],
  'aggregates, traits, resource classes': [
    make(1), make(2),
    { ask: `PUT ${rp(1)}/aggregates`, at: '1.1', body: [id(70), id(71)], status: 200, has: { aggregates: [id(70), id(71)] }, ...undated }, { ask: `PUT ${rp(1)}/aggregates`, at: '1.1', body: [id(70), id(70)], status: 400 },
    { ask: `PUT ${rp(1)}/aggregates`, at: '1.19', body: [id(70)], status: 400 }, { ask: `PUT ${rp(1)}/aggregates`, at: '1.23', body: { aggregates: [], resource_provider_generation: 5 }, status: 409, code: 'placement.concurrent_update' },
    { ask: `PUT ${rp(1)}/aggregates`, at: '1.19', body: { aggregates: [id(70)], resource_provider_generation: 0 }, status: 200, has: { resource_provider_generation: 1 }, ...dated },
    { ask: `GET ${rp(1)}/aggregates`, at: '1.18', status: 200, reply: (r) => assert.deepEqual(r.body, { aggregates: [id(70)] }) },
    // Kept as written, like placement's: without dashes it is another one.
    { ask: `PUT ${rp(2)}/aggregates`, at: '1.1', body: [bare(70)], status: 200 }, { ask: `GET ${rp(2)}/aggregates`, at: '1.1', status: 200, has: { aggregates: [bare(70)] } },
    { ask: `GET /resource_providers?member_of=${bare(70)}`, at: '1.3', status: 200, reply: (r) => assert.deepEqual(r.body.resource_providers.map((p: any) => p.name), ['rp2']) }, { ask: `PUT ${rp(2)}/aggregates`, at: '1.1', body: [], status: 200 },
    { ask: `GET /resource_providers?member_of=${id(70)}`, at: '1.3', status: 200, has: { resource_providers: [{ name: 'rp1' }] } }, { ask: `GET /resource_providers?member_of=in:${id(70)},${id(71)}`, at: '1.3', status: 200, has: /rp1/ },
    { ask: `GET /resource_providers?member_of=${id(70)},${id(71)}`, at: '1.3', status: 400 }, { ask: `GET /resource_providers?member_of=${id(70)}&member_of=${id(71)}`, at: '1.23', status: 400 },
    { ask: `GET /resource_providers?member_of=${id(70)}&member_of=${id(71)}`, at: '1.24', status: 200, reply: (r) => assert.deepEqual(r.body.resource_providers, []) },
    { ask: `GET /resource_providers?member_of=!${id(70)}`, at: '1.31', status: 400 }, { ask: `GET /resource_providers?member_of=!in:${id(70)},${id(71)}`, at: '1.32', status: 200, reply: (r) => assert.deepEqual(r.body.resource_providers.map((p: any) => p.name), ['rp2']) },
    { ask: 'PUT /traits/CUSTOM_X', at: '1.6', status: 201, reply: (r) => assert.match(r.headers.get('location')!, /\/placement\/traits\/CUSTOM_X$/) }, { ask: 'PUT /traits/CUSTOM_X', at: '1.15', status: 204, ...dated },
    { ask: 'PUT /traits/HW_MINE', at: '1.6', status: 400 }, { ask: 'PUT /traits/CUSTOM_lower', at: '1.6', status: 400 }, { ask: 'GET /traits/CUSTOM_X', at: '1.6', status: 204 }, { ask: 'GET /traits/CUSTOM_Y', at: '1.6', status: 404 }, { ask: 'GET /traits/HW_CPU_X86_AVX2', at: '1.6', status: 204 },
    { ask: 'GET /traits?name=startswith:CUSTOM_', at: '1.6', status: 200, reply: (r) => assert.deepEqual(r.body, { traits: ['CUSTOM_X'] }) }, { ask: 'GET /traits?name=in:CUSTOM_X,STORAGE_DISK_SSD,NO', at: '1.6', status: 200, reply: (r) => assert.deepEqual(r.body.traits.sort(), ['CUSTOM_X', 'STORAGE_DISK_SSD']) },
    { ask: 'GET /traits?name=CUSTOM_X', at: '1.6', status: 400 }, { ask: 'GET /traits?associated=maybe', at: '1.6', status: 400 }, { ask: 'GET /traits?key=1', at: '1.6', status: 400 },
    { ask: `PUT ${rp(2)}/traits`, at: '1.6', body: { traits: ['CUSTOM_X', 'STORAGE_DISK_SSD'], resource_provider_generation: 0 }, status: 200, has: { resource_provider_generation: 1, traits: ['CUSTOM_X', 'STORAGE_DISK_SSD'] } },
    { ask: `PUT ${rp(2)}/traits`, at: '1.6', body: { traits: ['CUSTOM_X', 'STORAGE_DISK_SSD'], resource_provider_generation: 1 }, status: 200, has: { resource_provider_generation: 1 } },
    { ask: `PUT ${rp(2)}/traits`, at: '1.6', body: { traits: ['CUSTOM_NO'], resource_provider_generation: 1 }, status: 400, has: /No such trait CUSTOM_NO/ }, { ask: `PUT ${rp(2)}/traits`, at: '1.23', body: { traits: [], resource_provider_generation: 7 }, status: 409, code: 'placement.concurrent_update' },
    { ask: 'GET /traits?associated=true', at: '1.6', status: 200, reply: (r) => assert.deepEqual(r.body.traits.sort(), ['CUSTOM_X', 'STORAGE_DISK_SSD']) }, { ask: 'DELETE /traits/CUSTOM_X', at: '1.6', status: 409 }, { ask: 'DELETE /traits/HW_CPU_X86_AVX2', at: '1.6', status: 400 },
    { ask: 'GET /resource_providers?required=CUSTOM_X', at: '1.17', status: 400 }, { ask: 'GET /resource_providers?required=CUSTOM_X', at: '1.18', status: 200, reply: (r) => assert.deepEqual(r.body.resource_providers.map((p: any) => p.name), ['rp2']) },
    { ask: 'GET /resource_providers?required=!CUSTOM_X', at: '1.21', status: 400 }, { ask: 'GET /resource_providers?required=!CUSTOM_X', at: '1.22', status: 200, reply: (r) => assert.deepEqual(r.body.resource_providers.map((p: any) => p.name), ['rp1']) },
    { ask: 'GET /resource_providers?required=CUSTOM_NO', at: '1.18', status: 400 }, { ask: 'GET /resource_providers?required=', at: '1.18', status: 400 }, { ask: 'GET /resource_providers?required=CUSTOM_X,!CUSTOM_X', at: '1.22', status: 200, has: { resource_providers: [] } },
    { ask: 'GET /resource_providers?required=in:CUSTOM_X,STORAGE_DISK_HDD', at: '1.38', status: 400 }, { ask: 'GET /resource_providers?required=in:CUSTOM_X,STORAGE_DISK_HDD&required=!STORAGE_DISK_HDD', at: '1.39', status: 200, has: /rp2/ },
    { ask: `DELETE ${rp(2)}/traits`, at: '1.6', status: 204 }, { ask: `GET ${rp(2)}/traits`, at: '1.6', status: 200, has: { traits: [], resource_provider_generation: 2 } }, { ask: 'DELETE /traits/CUSTOM_X', at: '1.6', status: 204 }, { ask: 'DELETE /traits/CUSTOM_X', at: '1.6', status: 404 },
    { ask: 'GET /resource_classes', at: '1.2', status: 200, has: /VCPU.*MEMORY_MB.*DISK_GB/ }, { ask: 'POST /resource_classes', at: '1.2', body: { name: 'CUSTOM_A' }, status: 201, reply: (r) => assert.match(r.headers.get('location')!, /\/placement\/resource_classes\/CUSTOM_A$/) },
    { ask: 'POST /resource_classes', at: '1.2', body: { name: 'CUSTOM_A' }, status: 409 }, { ask: 'POST /resource_classes', at: '1.2', body: { name: 'MINE' }, status: 400 }, { ask: 'GET /resource_classes/CUSTOM_B', at: '1.2', status: 404 },
    { ask: `POST ${rp(1)}/inventories`, body: { resource_class: 'CUSTOM_A', total: 2 }, status: 201 }, { ask: 'DELETE /resource_classes/CUSTOM_A', at: '1.2', status: 409 },
    { ask: 'PUT /resource_classes/CUSTOM_A', at: '1.6', body: { name: 'CUSTOM_B' }, status: 200, has: { name: 'CUSTOM_B', links: [{ rel: 'self', href: '/placement/resource_classes/CUSTOM_B' }] } }, { ask: 'PUT /resource_classes/VCPU', at: '1.6', body: { name: 'CUSTOM_B' }, status: 400 },
    { ask: `GET ${rp(1)}/inventories`, status: 200, has: { inventories: { CUSTOM_B: { total: 2 } } } }, { ask: `DELETE ${rp(1)}/inventories/CUSTOM_B`, status: 204 },
    { ask: 'PUT /resource_classes/CUSTOM_C', at: '1.7', status: 201 }, { ask: 'PUT /resource_classes/CUSTOM_C', at: '1.7', status: 204 }, { ask: 'PUT /resource_classes/VCPU', at: '1.7', status: 400 },
    { ask: 'DELETE /resource_classes/CUSTOM_C', at: '1.2', status: 204 }, { ask: 'DELETE /resource_classes/CUSTOM_C', at: '1.2', status: 404 }, { ask: 'DELETE /resource_classes/VCPU', at: '1.2', status: 400 },
  ],
  allocations: [
    make(1), make(2), stock(1, { VCPU: { total: 4, allocation_ratio: 2 }, MEMORY_MB: { total: 100, min_unit: 10, max_unit: 60, step_size: 10 } }), stock(2, { DISK_GB: { total: 50, reserved: 10 } }),
    { ask: `GET /allocations/${id(50)}`, at: '1.38', status: 200, reply: (r) => assert.deepEqual(r.body, { allocations: {} }) }, { ask: `DELETE /allocations/${id(50)}`, status: 404 }, { ask: 'PUT /allocations/zebra', at: '1.12', body: { allocations: { [id(1)]: { resources: { VCPU: 1 } } }, project_id: 'p', user_id: 'u' }, status: 400 },
    // A list; with owners from 1.8 on; a dictionary from 1.12 on.
    { ask: `PUT /allocations/${id(50)}`, body: { allocations: [{ resource_provider: { uuid: id(1) }, resources: { VCPU: 1 } }] }, status: 204 }, { ask: `PUT /allocations/${id(50)}`, at: '1.8', body: { allocations: [{ resource_provider: { uuid: id(1) }, resources: { VCPU: 1 } }] }, status: 400 },
    { ask: `PUT /allocations/${id(50)}`, at: '1.8', body: { allocations: [{ resource_provider: { uuid: id(1) }, resources: { VCPU: 2 } }], project_id: 'p', user_id: 'u' }, status: 204 }, { ask: `PUT /allocations/${id(50)}`, at: '1.12', body: { allocations: [], project_id: 'p', user_id: 'u' }, status: 400 },
    { ask: `PUT /allocations/${id(50)}`, at: '1.12', body: { allocations: {}, project_id: 'p', user_id: 'u' }, status: 400 }, { ask: `PUT /allocations/${id(50)}`, at: '1.12', body: { allocations: { [id(1)]: { resources: { VCPU: 3 } } }, project_id: 'p', user_id: 'u' }, status: 204 },
    { ask: `GET /allocations/${id(50)}`, at: '1.11', status: 200, reply: (r) => assert.deepEqual(r.body, { allocations: { [id(1)]: { generation: 4, resources: { VCPU: 3 } } } }) },
    { ask: `GET /allocations/${id(50)}`, at: '1.38', status: 200, has: { project_id: 'p', user_id: 'u', consumer_generation: 3, consumer_type: 'unknown' }, ...dated },
    // Generations, types.
    use(1, 50, { VCPU: 1 }, 409), { ...use(1, 51, { VCPU: 1 }, 409, { consumer_generation: 1 }), code: 'placement.concurrent_update' }, use(1, 50, { VCPU: 1 }, 400, { consumer_generation: undefined }), use(1, 50, { VCPU: 1 }, 400, { consumer_type: undefined }), use(1, 50, { VCPU: 1 }, 400, { consumer_type: 'lower' }),
    use(1, 50, { VCPU: 1 }, 400, { mappings: { _A: ['zebra'] } }), use(1, 50, { VCPU: 1 }, 204, { consumer_generation: 3, mappings: { _A: [id(1)] }, consumer_type: 'MIGRATION' }), { ask: `GET /allocations/${id(50)}`, at: '1.38', status: 200, has: { consumer_generation: 4, consumer_type: 'MIGRATION' } },
    // What does not fit, is not there, or breaks the units.
    use(1, 51, { VCPU: 8 }, 409), { ...use(1, 51, { MEMORY_MB: 5 }, 409), has: /violate inventory constraints/ }, use(1, 51, { MEMORY_MB: 25 }, 409), use(1, 51, { MEMORY_MB: 70 }, 409), use(1, 51, { DISK_GB: 1 }, 409), use(1, 51, { NOSUCH: 1 }, 400), use(9, 51, { VCPU: 1 }, 400), use(2, 51, { DISK_GB: 41 }, 409), use(1, 51, { VCPU: 0 }, 400), use(1, 51, {}, 400),
    { ask: `GET ${rp(1)}/usages`, status: 200, has: { usages: { VCPU: 1, MEMORY_MB: 0 } } }, { ask: `GET ${rp(1)}/allocations`, at: '1.28', status: 200, has: { allocations: { [id(50)]: { resources: { VCPU: 1 }, consumer_generation: 4 } } } },
    { ask: `GET ${rp(1)}/allocations`, at: '1.27', status: 200, reply: (r) => assert.deepEqual(r.body.allocations[id(50)], { resources: { VCPU: 1 } }) },
    // Many at once: all or nothing, and what one gives back another may take.
    { ask: 'POST /allocations', at: '1.13', body: { [id(50)]: { allocations: {}, project_id: 'p', user_id: 'u' }, [id(51)]: { allocations: { [id(1)]: { resources: { VCPU: 8 } } }, project_id: 'p', user_id: 'u' } }, status: 204 },
    { ask: `GET /allocations/${id(50)}`, status: 200, reply: (r) => assert.deepEqual(r.body.allocations, {}) },
    { ask: 'POST /allocations', at: '1.13', body: { [id(52)]: { allocations: { [id(2)]: { resources: { DISK_GB: 1 } } }, project_id: 'p', user_id: 'u' }, [id(53)]: { allocations: { [id(1)]: { resources: { VCPU: 1 } } }, project_id: 'p', user_id: 'u' } }, status: 409 },
    { ask: `GET /allocations/${id(52)}`, status: 200, reply: (r) => assert.deepEqual(r.body.allocations, {}) }, { ask: 'POST /allocations', at: '1.28', body: { [id(52)]: { allocations: {}, project_id: 'p', user_id: 'u' } }, status: 400 }, { ask: 'POST /allocations', at: '1.13', body: {}, status: 400 },
    // Safe deletion from 1.28 on.
    { ask: `PUT /allocations/${id(51)}`, at: '1.28', body: { allocations: {}, project_id: 'p', user_id: 'u', consumer_generation: 7 }, status: 409 }, { ask: `PUT /allocations/${id(51)}`, at: '1.28', body: { allocations: {}, project_id: 'p', user_id: 'u', consumer_generation: 1 }, status: 204 },
    { ask: `PUT /allocations/${id(51)}`, at: '1.28', body: { allocations: {}, project_id: 'p', user_id: 'u', consumer_generation: null }, status: 204 }, { ask: `GET ${rp(1)}/usages`, status: 200, has: { usages: { VCPU: 0, MEMORY_MB: 0 } } },
  ],
  usages: [
    make(1), stock(1, { VCPU: { total: 40 }, DISK_GB: { total: 40 } }), use(1, 50, { VCPU: 1, DISK_GB: 2 }, 204), use(1, 51, { VCPU: 2 }, 204, { consumer_type: 'MIGRATION' }), use(1, 52, { VCPU: 4 }, 204, { user_id: 'v' }),
    { ask: `PUT /allocations/${id(53)}`, at: '1.12', body: { allocations: { [id(1)]: { resources: { VCPU: 8 } } }, project_id: 'p', user_id: 'u' }, status: 204 },
    { ask: 'GET /usages?project_id=p', at: '1.9', status: 200, reply: (r) => assert.deepEqual(r.body, { usages: { VCPU: 15, DISK_GB: 2 } }) }, { ask: 'GET /usages?project_id=p&user_id=v', at: '1.9', status: 200, reply: (r) => assert.deepEqual(r.body, { usages: { VCPU: 4 } }) },
    { ask: 'GET /usages?project_id=p', at: '1.38', status: 200, reply: (r) => assert.deepEqual(r.body.usages, { INSTANCE: { VCPU: 5, DISK_GB: 2, consumer_count: 2 }, MIGRATION: { VCPU: 2, consumer_count: 1 }, unknown: { VCPU: 8, consumer_count: 1 } }) },
    { ask: 'GET /usages?project_id=p&consumer_type=all', at: '1.38', status: 200, reply: (r) => assert.deepEqual(r.body.usages, { all: { VCPU: 15, DISK_GB: 2, consumer_count: 4 } }) }, { ask: 'GET /usages?project_id=p&consumer_type=unknown', at: '1.38', status: 200, reply: (r) => assert.deepEqual(r.body.usages, { unknown: { VCPU: 8, consumer_count: 1 } }) },
    { ask: 'GET /usages?project_id=p&consumer_type=INSTANCE', at: '1.38', status: 200, reply: (r) => assert.deepEqual(Object.keys(r.body.usages), ['INSTANCE']) }, { ask: 'GET /usages?project_id=p&consumer_type=all', at: '1.37', status: 400 }, { ask: 'GET /usages', at: '1.9', status: 400 },
    { ask: 'GET /usages?project_id=nobody', at: '1.38', status: 200, reply: (r) => assert.deepEqual(r.body, { usages: {} }) },
  ],
  reshaper: [
    make(1), make(2, 1), stock(1, { VCPU: { total: 8 }, VGPU: { total: 4 } }), use(1, 50, { VCPU: 2, VGPU: 2 }, 204),
    ...(['nova', 'admin'] as const).map((token): Step => ({ ask: 'POST /reshaper', at: '1.38', token, status: token === 'admin' ? 403 : 409, body: { inventories: { [id(1)]: { resource_provider_generation: 9, inventories: {} } }, allocations: {} } })),
    // The inventory would go from under what is allocated.
    { ask: 'POST /reshaper', at: '1.38', token: 'nova', body: { inventories: { [id(1)]: { resource_provider_generation: 2, inventories: { VCPU: { total: 8 } } } }, allocations: {} }, status: 409, code: 'placement.inventory.inuse' },
    { ask: 'POST /reshaper', at: '1.38', token: 'nova', body: { inventories: { [id(9)]: { resource_provider_generation: 2, inventories: {} } }, allocations: {} }, status: 400, code: 'placement.resource_provider.not_found' },
    { ask: 'POST /reshaper', at: '1.38', token: 'nova', status: 204, body: {
      inventories: { [id(1)]: { resource_provider_generation: 2, inventories: { VCPU: { total: 8 } } }, [id(2)]: { resource_provider_generation: 0, inventories: { VGPU: { total: 4 } } } },
      allocations: { [id(50)]: { allocations: { [id(1)]: { resources: { VCPU: 2 } }, [id(2)]: { resources: { VGPU: 2 } } }, project_id: 'p', user_id: 'u', consumer_generation: 1, consumer_type: 'INSTANCE' } },
    } },
    { ask: `GET ${rp(1)}/usages`, status: 200, has: { usages: { VCPU: 2 } }, reply: (r) => assert.equal('VGPU' in r.body.usages, false) }, { ask: `GET ${rp(2)}/usages`, status: 200, has: { usages: { VGPU: 2 } } },
  ],
  'allocation candidates': [
    // Two hosts, the first with a card below it; a store that both share.
    make(1), make(2, 1), make(3), make(4), stock(1, { VCPU: { total: 8 }, MEMORY_MB: { total: 100 } }), stock(2, { VGPU: { total: 2 } }), stock(3, { VCPU: { total: 8 }, MEMORY_MB: { total: 100 } }), stock(4, { DISK_GB: { total: 1000 } }),
    { ask: `PUT ${rp(4)}/traits`, at: '1.6', body: { traits: ['MISC_SHARES_VIA_AGGREGATE'], resource_provider_generation: 1 }, status: 200 }, { ask: `PUT ${rp(2)}/traits`, at: '1.6', body: { traits: ['HW_GPU_API_VULKAN'], resource_provider_generation: 1 }, status: 200 },
    ...[1, 3, 4].map((n): Step => ({ ask: `PUT ${rp(n)}/aggregates`, at: '1.18', body: [id(70)], status: 200 })),
    { ask: 'GET /allocation_candidates?resources=VCPU:1', at: '1.10', status: 200, ...undated, has: { allocation_requests: [{ allocations: [{ resource_provider: { uuid: id(1) }, resources: { VCPU: 1 } }] }, { allocations: [{ resource_provider: { uuid: id(3) } }] }] } },
    { ask: 'GET /allocation_candidates?resources=VCPU:1', at: '1.15', status: 200, ...dated },
    { ask: 'GET /allocation_candidates?resources=VCPU:1,DISK_GB:5', at: '1.12', status: 200, has: { allocation_requests: [{ allocations: { [id(1)]: { resources: { VCPU: 1 } }, [id(4)]: { resources: { DISK_GB: 5 } } } }] }, reply: (r) => {
      assert.deepEqual(r.body.provider_summaries[id(1)], { resources: { VCPU: { capacity: 8, used: 0 } } })
      assert.deepEqual(Object.keys(r.body.provider_summaries).sort(), [id(1), id(3), id(4)], 'the card is of no concern where trees are not known')
    } },
    { ask: 'GET /allocation_candidates?resources=VCPU:1,VGPU:1', at: '1.28', status: 200, reply: (r) => assert.deepEqual(r.body, { allocation_requests: [], provider_summaries: {} }) },
    { ask: 'GET /allocation_candidates?resources=VCPU:1,VGPU:1', at: '1.29', status: 200, reply: (r) => {
      assert.deepEqual(r.body.allocation_requests, [{ allocations: { [id(1)]: { resources: { VCPU: 1 } }, [id(2)]: { resources: { VGPU: 1 } } } }])
      assert.deepEqual(r.body.provider_summaries[id(2)], { resources: { VGPU: { capacity: 2, used: 0 } }, traits: ['HW_GPU_API_VULKAN'], parent_provider_uuid: id(1), root_provider_uuid: id(1) })
      assert.deepEqual(Object.keys(r.body.provider_summaries[id(1)].resources).sort(), ['MEMORY_MB', 'VCPU'])
    } },
    { ask: 'GET /allocation_candidates?resources=VCPU:1&resources_G=VGPU:1&required_G=HW_GPU_API_VULKAN', at: '1.34', status: 200, reply: (r) => assert.deepEqual(r.body.allocation_requests[0].mappings, { '': [id(1)], _G: [id(2)] }) },
    { ask: 'GET /allocation_candidates?resources1=VCPU:1&resources2=VCPU:1', at: '1.25', status: 400, has: /group_policy/ }, { ask: 'GET /allocation_candidates?resources1=VCPU:1&resources2=VCPU:1&group_policy=none', at: '1.25', status: 200, has: { allocation_requests: [{ allocations: { [id(1)]: { resources: { VCPU: 2 } } } }] } },
    { ask: 'GET /allocation_candidates?resources1=VCPU:1&resources2=VCPU:1&group_policy=isolate', at: '1.29', status: 200, reply: (r) => assert.deepEqual(r.body.allocation_requests, []) }, { ask: 'GET /allocation_candidates?resources1=VCPU:1&group_policy=both', at: '1.25', status: 400 },
    { ask: 'GET /allocation_candidates?resources1=VCPU:5&resources2=VCPU:5&group_policy=none', at: '1.29', status: 200, reply: (r) => assert.deepEqual(r.body.allocation_requests, [], 'together too much') },
    { ask: 'GET /allocation_candidates?resources_A=VCPU:1', at: '1.32', status: 400 }, { ask: 'GET /allocation_candidates?resources01=VCPU:1', at: '1.32', status: 400 }, { ask: 'GET /allocation_candidates?resources_A=VCPU:1', at: '1.33', status: 200 }, { ask: `GET /allocation_candidates?resources${'a'.repeat(65)}=VCPU:1`, at: '1.33', status: 400 },
    { ask: 'GET /allocation_candidates?resources=VCPU:1&limit=1', at: '1.15', status: 400 }, { ask: 'GET /allocation_candidates?resources=VCPU:1&limit=1', at: '1.16', status: 200, reply: (r) => assert.deepEqual([r.body.allocation_requests.length, Object.keys(r.body.provider_summaries).length], [1, 1]) },
    ...['0', '-1', '1.5', 'a', ''].map((limit): Step => ({ ask: `GET /allocation_candidates?resources=VCPU:1&limit=${limit}`, at: '1.16', status: 400 })),
    { ask: `GET /allocation_candidates?resources=VCPU:1&in_tree=${id(2)}`, at: '1.30', status: 400 }, { ask: `GET /allocation_candidates?resources=VCPU:1&in_tree=${id(2)}`, at: '1.31', status: 200, reply: (r) => assert.deepEqual(r.body.allocation_requests.map((a: any) => Object.keys(a.allocations)), [[id(1)]]) },
    { ask: `GET /allocation_candidates?resources=VCPU:1&in_tree=${id(9)}`, at: '1.31', status: 200, has: { allocation_requests: [] } }, { ask: 'GET /allocation_candidates?resources=VCPU:1&in_tree=x', at: '1.31', status: 400 },
    { ask: `GET /allocation_candidates?resources=VCPU:1&member_of=${id(71)}`, at: '1.21', status: 200, has: { allocation_requests: [] } }, { ask: `GET /allocation_candidates?resources=VGPU:1&member_of=${id(70)}`, at: '1.29', status: 200, reply: (r) => assert.equal(r.body.allocation_requests.length, 1, 'what the root is in the tree is in') },
    { ask: `GET /allocation_candidates?resources1=VGPU:1&member_of1=${id(70)}`, at: '1.29', status: 200, reply: (r) => assert.equal(r.body.allocation_requests.length, 0, 'but not for one provider alone') }, { ask: `GET /allocation_candidates?resources=VCPU:1&member_of=!${id(70)}`, at: '1.32', status: 200, has: { allocation_requests: [] } },
    { ask: 'GET /allocation_candidates?resources=VCPU:1&root_required=!HW_NUMA_ROOT', at: '1.34', status: 400 }, { ask: 'GET /allocation_candidates?resources=VCPU:1&root_required=!HW_NUMA_ROOT', at: '1.35', status: 200, reply: (r) => assert.equal(r.body.allocation_requests.length, 2) },
    { ask: 'GET /allocation_candidates?resources=VCPU:1&root_required=A&root_required=B', at: '1.35', status: 400, code: 'placement.query.duplicate_key' }, { ask: 'GET /allocation_candidates?resources=VCPU:1&root_required=HW_NUMA_ROOT,!HW_NUMA_ROOT', at: '1.35', status: 400, code: 'placement.query.bad_value' },
    { ask: 'GET /allocation_candidates?resources_A=VCPU:1&resources_B=VGPU:1&same_subtree=_A,_B&group_policy=none', at: '1.36', status: 200, reply: (r) => assert.equal(r.body.allocation_requests.length, 1) },
    { ask: 'GET /allocation_candidates?resources_A=VCPU:1&required_B=HW_GPU_API_VULKAN&same_subtree=_A,_B&group_policy=none', at: '1.36', status: 200, reply: (r) => assert.deepEqual(r.body.allocation_requests[0].mappings, { _A: [id(1)], _B: [id(2)] }) },
    { ask: 'GET /allocation_candidates?resources_A=VCPU:1&required_B=HW_GPU_API_VULKAN&group_policy=none', at: '1.36', status: 400, code: 'placement.query.bad_value' }, { ask: 'GET /allocation_candidates?required_B=HW_GPU_API_VULKAN', at: '1.36', status: 400, code: 'placement.query.missing_value' },
    { ask: 'GET /allocation_candidates?required1=HW_GPU_API_VULKAN', at: '1.35', status: 400, has: /orphaned/ }, { ask: 'GET /allocation_candidates?resources_A=VCPU:1&same_subtree=_A,_X', at: '1.36', status: 400, code: 'placement.query.bad_value' }, { ask: 'GET /allocation_candidates?resources_A=VCPU:1&same_subtree=_A,', at: '1.36', status: 400 },
    { ask: 'GET /allocation_candidates?resources=VGPU:1&required=in:HW_GPU_API_VULKAN,HW_GPU_API_DXVA', at: '1.39', status: 200, reply: (r) => assert.equal(r.body.allocation_requests.length, 1) }, { ask: 'GET /allocation_candidates?resources=VGPU:1&required=!HW_GPU_API_VULKAN', at: '1.22', status: 200, has: { allocation_requests: [] } },
    ...['', 'VCPU', 'VCPU:', 'VCPU:x', 'VCPU:0', 'VCPU:-1', 'VCPU:1:2', 'NOSUCH:1'].map((resources): Step => ({ ask: `GET /allocation_candidates?resources=${resources}`, at: '1.10', status: 400 })), { ask: 'GET /allocation_candidates', at: '1.10', status: 400 }, { ask: 'GET /allocation_candidates', at: '1.39', status: 400 },
    { ask: 'GET /allocation_candidates?resources=VCPU:1&required=NOSUCH', at: '1.17', status: 400, has: /No such trait/ }, { ask: 'GET /allocation_candidates?resources=VCPU:1&spoon=1', at: '1.39', status: 400 }, { ask: 'GET /allocation_candidates?resources=VCPU:1', token: 'member', at: '1.10', status: 403 },
    // Every change is seen by the next search.
    use(1, 50, { VCPU: 8 }, 204), { ask: 'GET /allocation_candidates?resources=VCPU:1', at: '1.29', status: 200, reply: (r) => assert.deepEqual(r.body.allocation_requests.map((a: any) => Object.keys(a.allocations)), [[id(3)]]) },
    { ask: `DELETE /allocations/${id(50)}`, status: 204 }, { ask: `PUT ${rp(3)}`, at: '1.37', body: { name: 'rp3', parent_provider_uuid: id(1) }, status: 200 }, { ask: 'GET /allocation_candidates?resources=VCPU:1', at: '1.29', status: 200, has: { provider_summaries: { [id(3)]: { root_provider_uuid: id(1) } } } },
    { ask: `DELETE ${rp(3)}`, status: 204 }, { ask: 'GET /allocation_candidates?resources=VCPU:1', at: '1.29', status: 200, reply: (r) => assert.deepEqual(Object.keys(r.body.provider_summaries).sort(), [id(1), id(2)]) },
  ],
})
