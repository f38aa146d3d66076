// The form that requests must have, and the words in which placement's clients are told that they have not.
import assert from 'node:assert/strict'
import { id, stories, type Step } from './testing.ts'

const rp = (n: number): string => `/resource_providers/${id(n)}`
const json = { 'content-type': 'application/json' }
const make = (n: number): Step => ({ ask: 'POST /resource_providers', at: '1.39', body: { name: `rp${n}`, uuid: id(n) }, status: 200 })
const detail = (text: string | RegExp): Pick<Step, 'reply'> => ({ reply: (r) => (typeof text === 'string' ? assert.equal(r.body.errors[0].detail, text) : assert.match(r.body.errors[0].detail, text)) })
const owner = { project_id: 'p', user_id: 'u', consumer_generation: null, consumer_type: 'INSTANCE' }

stories({
  'what is not there, and what may not be done': [
    { ask: 'GET /barnabas', at: '1.23', status: 404, code: 'placement.undefined_code', reply: (r) => assert.equal(r.headers.get('openstack-api-version'), 'placement 1.23') },
    { ask: 'GET /barnabas', headers: { accept: 'text/html' }, status: 404, has: /<h1>404 Not Found<\/h1>/, reply: (r) => assert.match(r.headers.get('content-type')!, /^text\/html/) },
    { ask: 'GET /barnabas', headers: { accept: 'text/html,application/json' }, status: 404, has: { errors: [{ status: 404 }] } },
    ...['DELETE /', 'POST /', 'OPTIONS /', 'DELETE /resource_providers', 'OPTIONS /resource_providers'].map((ask): Step => ({ ask, status: 405, ...detail(`The method ${ask.split(' ')[0]} is not allowed for this resource.`) })),
    ...['/', '/resource_providers'].map((path): Step => ({ ask: `HEAD ${path}`, status: 405, reply: (r) => assert.doesNotMatch(r.headers.get('allow')!, /HEAD/) })),
    { ask: 'GET /resource_providers/', status: 404 }, { ask: 'POST /resource_providers/', status: 404 },
    // Any two numbers are a version, if not one that there is.
    ...['0.5', '1.40', '2.0', '1.00040'].map((at): Step => ({ ask: 'GET /', at, status: 406, has: { errors: [{ status: 406, detail: `Unacceptable version header: ${at}`, max_version: '1.39' }] } })),
    ...['1.2.3', 'pony.horse', '1.', '-1.2'].map((at): Step => ({ ask: 'GET /', at, status: 400, ...detail(`invalid version string: ${at}`) })),
    // A version that does not have the path says so before it looks at what is sent.
    { ask: 'POST /resource_classes', at: '1.1', headers: { 'content-type': 'text/plain' }, body: 'CUSTOM_X', status: 404 },
    { ask: 'POST /resource_classes', at: '1.2', headers: { 'content-type': 'text/plain' }, body: 'CUSTOM_X', status: 415 },
    { ask: `DELETE ${rp(1)}`, status: 404, ...detail(`No resource provider with uuid ${id(1)} found for delete`) },
    { ask: `DELETE ${rp(1)}/inventories`, at: '1.4', status: 405 }, { ask: `DELETE ${rp(1)}/inventories`, at: '1.5', status: 404 },
    // Who is not there cannot be given anything, however that is written.
    ...['inventories', 'aggregates'].map((what): Step => ({ ask: `PUT ${rp(1)}/${what}`, at: '1.39', body: {}, status: 404 })),
    { ask: `PUT ${rp(1)}/traits`, at: '1.39', body: {}, status: 400 }, { ask: `PUT ${rp(1)}/traits`, at: '1.39', body: { traits: [], resource_provider_generation: 0 }, status: 404 },
    // In a path a provider is called what it was called when it was answered.
    make(1), { ask: `GET ${rp(1)}`, status: 200 }, { ask: `GET ${rp(1).replaceAll('-', '')}`, status: 404 },
  ],
  'the form of bodies and queries': [
    make(1),
    { ask: 'POST /resource_providers', headers: json, body: '{"name"', status: 400, ...detail(/^Malformed JSON: /) },
    { ask: 'PUT /resource_classes/CUSTOM_A', at: '1.6', headers: json, status: 400, ...detail(/^Malformed JSON: /) },
    { ask: 'POST /resource_providers', body: {}, status: 400, ...detail('JSON does not validate: \'name\' is a required property\n\nFailed validating \'required\' in schema') },
    { ask: 'POST /resource_providers', body: { name: 'a', uuid: 'zebra' }, status: 400, ...detail('JSON does not validate: \'zebra\' is not a \'uuid\'\n\nFailed validating \'format\' in schema[\'properties\'][\'uuid\']') },
    { ask: 'POST /resource_providers', body: { name: 'x'.repeat(201) }, status: 400, ...detail(/^JSON does not validate: 'x+\.\.\. is too long\n\nFailed validating 'maxLength' in schema\['properties'\]\['name'\]$/) },
    { ask: `POST ${rp(1)}/inventories`, body: { resource_class: 'VCPU', total: 0 }, status: 400, ...detail('JSON does not validate: 0 is less than the minimum of 1\n\nFailed validating \'minimum\' in schema[\'properties\'][\'total\']') },
    { ask: `PUT ${rp(1)}`, body: { name: 'b', spoon: 1 }, status: 400, ...detail(/^JSON does not validate: Additional properties are not allowed \('spoon' was unexpected\)/) },
    { ask: `PUT /allocations/${id(9)}`, at: '1.12', body: { allocations: {}, project_id: 'p', user_id: 'u' }, status: 400, ...detail(/^JSON does not validate: \{\} does not have enough properties/) },
    { ask: 'PUT /resource_classes/COW', at: '1.7', status: 400, ...detail(/does not match.*\n\nFailed validating 'pattern'/) },
    { ask: `PUT /resource_classes/CUSTOM_${'X'.repeat(250)}`, at: '1.7', status: 400, ...detail(/is too long\n\nFailed validating 'maxLength'/) },
    { ask: 'GET /resource_providers?spoon=1', status: 400, ...detail(/^Invalid query string parameters: Additional properties are not allowed \('spoon' was unexpected\)/) },
    { ask: 'GET /resource_providers?uuid=zebra', status: 400, ...detail(/^Invalid query string parameters: 'zebra' is not a 'uuid'\n\nFailed validating 'format'/) },
    { ask: 'GET /usages?project_id=', at: '1.9', status: 400, ...detail(/^Invalid query string parameters: '' is too short\n\nFailed validating 'minLength'/) },
    { ask: 'GET /allocation_candidates?resources=VCPU:1&limit=cow', at: '1.16', status: 400, ...detail(/'cow' does not match.*\n\nFailed validating 'pattern'/) },
    { ask: 'GET /allocation_candidates?resources=VCPU:1&group_policy=cow', at: '1.25', status: 400, ...detail(/'cow' is not one of.*\n\nFailed validating 'enum'/) },
    // What nobody can have is found nowhere; only who asks for candidates is told why.
    { ask: 'GET /resource_providers?required=HW_CPU_X86_AVX,!HW_CPU_X86_AVX', at: '1.22', status: 200, has: { resource_providers: [] } },
    { ask: 'GET /allocation_candidates?resources=VCPU:1&required=HW_CPU_X86_AVX,!HW_CPU_X86_AVX', at: '1.22', status: 400, ...detail(/Conflicting required and forbidden traits/) },
    // Suffixes: none, then numbers, then words.
    { ask: 'GET /allocation_candidates?resources1=VCPU:1', at: '1.24', status: 400, ...detail(/Additional properties are not allowed \('resources1' was unexpected\)/) },
    { ask: 'GET /allocation_candidates?resources1=VCPU:1', at: '1.25', status: 200 },
    { ask: 'GET /allocation_candidates?resources01=VCPU:1', at: '1.25', status: 400, ...detail(/'resources01' does not match any of the regexes: .*'\^member_of\(\[1-9\]\[0-9\]\*\)\?\$'/) },
    { ask: 'GET /allocation_candidates?resources_a=VCPU:1', at: '1.32', status: 400 }, { ask: 'GET /allocation_candidates?resources_a=VCPU:1', at: '1.33', status: 200 },
    { ask: 'GET /allocation_candidates?resources1@=VCPU:1', at: '1.33', status: 400, ...detail(/'\^member_of\(\[a-zA-Z0-9_-\]\{1,64\}\)\?\$'/) },
  ],
  'what conflicts is named': [
    make(1),
    { ask: 'POST /resource_providers', at: '1.23', body: { name: 'rp1' }, status: 409, code: 'placement.duplicate_name', has: /Conflicting resource provider name: rp1 already exists/ },
    { ask: 'POST /resource_providers', at: '1.23', body: { name: 'rp2', uuid: id(1).replaceAll('-', '') }, status: 409, code: 'placement.duplicate_name', has: new RegExp(`Conflicting resource provider uuid: ${id(1)} already exists`) },
    { ask: 'POST /resource_providers', at: '1.23', body: { name: 'rp1', uuid: id(1) }, status: 409, has: /resource provider name: rp1 already exists/ },
    { ask: `PUT ${rp(1)}/inventories`, body: { resource_provider_generation: 0, inventories: { DISK_GB: { total: 9 }, VCPU: { total: 9 }, CUSTOM_A: { total: 9 } } }, status: 400 },
    { ask: `PUT ${rp(1)}/inventories/CUSTOM_A`, body: { resource_provider_generation: 0, total: 9 }, status: 404, ...detail('No such resource class CUSTOM_A.') },
    { ask: `PUT ${rp(1)}/inventories/CUSTOM_A`, body: { resource_provider_generation: 7, total: 9 }, status: 409 },
    { ask: `PUT ${rp(1)}/inventories/VCPU`, body: { resource_provider_generation: 0, total: 9 }, status: 400, ...detail(/No inventory of class VCPU found/) },
    { ask: 'PUT /resource_classes/CUSTOM_A', at: '1.7', status: 201 },
    { ask: `PUT ${rp(1)}/inventories`, body: { resource_provider_generation: 0, inventories: { DISK_GB: { total: 9 }, VCPU: { total: 9 }, CUSTOM_A: { total: 9 } } }, status: 200 },
    { ask: `PUT /allocations/${id(9)}`, at: '1.38', body: { ...owner, allocations: { [id(1)]: { resources: { CUSTOM_A: 1, DISK_GB: 1, VCPU: 1 } } } }, status: 204 },
    { ask: `DELETE ${rp(1)}/inventories`, at: '1.23', status: 409, code: 'placement.inventory.inuse', has: /Inventory for 'VCPU, DISK_GB, CUSTOM_A' on resource provider/ },
  ],
  'what was answered can be asked for as it stands': [
    make(1), { ask: `PUT ${rp(1)}/inventories`, body: { resource_provider_generation: 0, inventories: { VCPU: { total: 9 } } }, status: 200 },
    { ask: 'GET /allocation_candidates?resources=VCPU:1', at: '1.34', status: 200, has: { allocation_requests: [{ allocations: { [id(1)]: { resources: { VCPU: 1 } } }, mappings: { '': [id(1)] } }] } },
    { ask: `PUT /allocations/${id(9)}`, at: '1.34', body: { project_id: 'p', user_id: 'u', consumer_generation: null, allocations: { [id(1)]: { resources: { VCPU: 1 } } }, mappings: { '': [id(1)] } }, status: 204 },
    { ask: 'POST /allocations', at: '1.38', body: { [id(8)]: { ...owner, allocations: { [id(1)]: { resources: { VCPU: 1 } } }, mappings: { '': [id(1)], _a: [id(1)] } } }, status: 204 },
    { ask: `PUT /allocations/${id(7)}`, at: '1.34', body: { project_id: 'p', user_id: 'u', consumer_generation: null, allocations: { [id(1)]: { resources: { VCPU: 1 } } }, mappings: { 'a@b': [id(1)] } }, status: 400 },
  ],
  'generations move on as clients count them': [
    make(1), make(2), { ask: `PUT ${rp(1)}/inventories`, body: { resource_provider_generation: 0, inventories: { VCPU: { total: 9 } } }, status: 200, has: { resource_provider_generation: 1 } },
    { ask: `PUT /allocations/${id(9)}`, at: '1.38', body: { ...owner, allocations: { [id(1)]: { resources: { VCPU: 1 } } } }, status: 204 }, { ask: `GET ${rp(1)}`, status: 200, has: { generation: 2 } },
    // Who adds an inventory may say a generation, which nobody looks at.
    { ask: `POST ${rp(2)}/inventories`, body: { resource_class: 'DISK_GB', total: 1, resource_provider_generation: 55 }, status: 201, has: { resource_provider_generation: 1 } }, { ask: `DELETE ${rp(2)}/inventories/DISK_GB`, status: 204 },
    // To free moves nothing on, but to write that nothing is used does.
    { ask: `DELETE /allocations/${id(9)}`, status: 204 }, { ask: `GET ${rp(1)}`, status: 200, has: { generation: 2 } },
    { ask: `PUT /allocations/${id(9)}`, at: '1.38', body: { ...owner, allocations: { [id(1)]: { resources: { VCPU: 1 } } } }, status: 204 },
    { ask: `PUT /allocations/${id(9)}`, at: '1.38', body: { ...owner, consumer_generation: 1, allocations: {} }, status: 204 }, { ask: `GET ${rp(1)}`, status: 200, has: { generation: 4 } },
    { ask: `PUT /allocations/${id(9)}`, at: '1.38', body: { ...owner, allocations: { [id(1)]: { resources: { VCPU: 1 } } } }, status: 204 },
    // Nor is a provider told that was exchanged for another one.
    make(3), make(4), ...[3, 4].map((n): Step => ({ ask: `PUT ${rp(n)}/inventories`, body: { resource_provider_generation: 0, inventories: { VCPU: { total: 9 } } }, status: 200 })),
    { ask: `PUT /allocations/${id(8)}`, at: '1.38', body: { ...owner, allocations: { [id(3)]: { resources: { VCPU: 1 } } } }, status: 204 },
    { ask: `PUT /allocations/${id(8)}`, at: '1.38', body: { ...owner, consumer_generation: 1, allocations: { [id(4)]: { resources: { VCPU: 1 } } } }, status: 204 },
    { ask: `GET ${rp(3)}`, status: 200, has: { generation: 2 } }, { ask: `GET ${rp(4)}`, status: 200, has: { generation: 2 } }, { ask: `GET ${rp(3)}/usages`, status: 200, has: { usages: { VCPU: 0 } } },
    // The reshaper adds, moves and takes away: who has nothing at the end was only in the last of the three.
    { ask: 'POST /reshaper', at: '1.38', token: 'nova', status: 204, body: {
      inventories: { [id(1)]: { resource_provider_generation: 5, inventories: {} }, [id(2)]: { resource_provider_generation: 2, inventories: { VCPU: { total: 9 } } } },
      allocations: { [id(9)]: { ...owner, consumer_generation: 1, allocations: { [id(2)]: { resources: { VCPU: 1 } } } } },
    } },
    { ask: `GET ${rp(1)}`, status: 200, has: { generation: 6 } }, { ask: `GET ${rp(2)}`, status: 200, has: { generation: 5 } },
  ],
})
