import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyone, projectMember, service as serviceRule } from '#kit/policy/rules.ts'
import { openapi } from './openapi.ts'
import { operationsOf } from './operation.ts'
import { exact, since, Type } from './schema.ts'
import type { ServiceHttp } from './service.ts'

const operation = operationsOf<object>()
const handle = async (): Promise<void> => {}
const service: ServiceHttp<object> = {
  name: 'compute', mount: '/compute', prefixes: ['/v2.1', '/v2.1/{project_id}'], microversions: { service: 'compute', min: '2.1', max: '2.19' }, envelope: () => ({}),
  operations: [
    operation({ name: 'listVersions', method: 'GET', path: '/', atRoot: true, summary: 'Versions.', access: anyone, handle }),
    operation({ name: 'createServer', method: 'POST', path: '/servers', summary: 'Creates.', access: projectMember, status: 202, body: exact({ name: Type.String(), note: since('2.19', Type.String()), dead: since('2.1', Type.Optional(Type.String()), '2.10') }), handle }),
    operation({ name: 'listServers', method: 'GET', path: '/servers', summary: 'Lists.', access: projectMember, query: exact({ limit: Type.Optional(Type.Integer()) }), handle }),
    operation({ name: 'startServer', method: 'POST', path: '/servers/{server_id}/action', action: 'os-start', summary: 'Starts.', access: projectMember, status: 202, body: Type.Null(), handle }),
    operation({ name: 'rebootServer', method: 'POST', path: '/servers/{server_id}/action', action: 'reboot', summary: 'Reboots.', access: projectMember, status: 202, faults: ['conflict', 'notFound'], body: exact({ type: Type.String() }), since: '2.5', handle }),
    operation({ name: 'oldAction', method: 'POST', path: '/servers/{server_id}/action', action: 'rebuildOld', summary: 'Gone.', access: projectMember, until: '2.6', handle }),
    operation({ name: 'upload', method: 'PUT', path: '/servers/{server_id}/file', summary: 'Bytes.', access: projectMember, body: 'stream', status: 204, handle }),
    operation({ name: 'secret', method: 'GET', path: '/secret', summary: 'Ours.', access: serviceRule, internal: true, handle }),
  ],
}
const document = JSON.parse(JSON.stringify(openapi([service], 'https://cloud', '1'))) as any

test('paths stand below the canonical prefix, internal operations nowhere', () => {
  assert.deepEqual(Object.keys(document.paths), ['/compute', '/compute/v2.1/servers', '/compute/v2.1/servers/{server_id}/action', '/compute/v2.1/servers/{server_id}/file'])
})

test('a body is shown as it stands at the newest version', () => {
  const create = document.paths['/compute/v2.1/servers'].post
  assert.deepEqual(create.requestBody.content['application/json'].schema, { type: 'object', required: ['name', 'note'], properties: { name: { type: 'string' }, note: { type: 'string' } }, additionalProperties: false })
  assert.deepEqual(Object.keys(create.responses), ['202', '400', '401', '403', '413', '415', 'default'])
  assert.equal(create['x-openstack-access'], projectMember.text)
  assert.deepEqual(create.security, [{ token: [] }])
  assert.deepEqual(document.paths['/compute'].get.security, [])
})

test('query and path parameters', () => {
  assert.deepEqual(document.paths['/compute/v2.1/servers'].get.parameters.map((p: any) => [p.name, p.in]), [['limit', 'query'], ['OpenStack-API-Version', 'header']])
  assert.deepEqual(document.paths['/compute/v2.1/servers/{server_id}/file'].put.parameters[0], { name: 'server_id', in: 'path', required: true, schema: { type: 'string' } })
})

test('actions share a path: each its own shape, its version and its rule', () => {
  const action = document.paths['/compute/v2.1/servers/{server_id}/action'].post
  assert.equal(action.operationId, 'compute.serversAction')
  assert.deepEqual(action.requestBody.content['application/json'].schema.oneOf.map((s: any) => s.required), [['os-start'], ['reboot']])
  assert.deepEqual(Object.keys(action.responses), ['202', '400', '401', '403', '404', '409', '413', '415', 'default'])
  assert.equal(action['x-openstack-actions'][1]['x-openstack-min-version'], '2.5')
  assert.deepEqual(action['x-openstack-former'].map((o: any) => o.operation), ['oldAction'])
})

test('every operation id is unique', () => {
  const ids = Object.values<any>(document.paths).flatMap((item) => Object.values<any>(item).map((op) => op.operationId))
  assert.equal(new Set(ids).size, ids.length)
})
