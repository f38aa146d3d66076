import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allowedByRules } from './access-rules.ts'

const allows = (path: string, asked: string, method = 'GET', service = 'compute'): boolean =>
  allowedByRules([{ service: 'compute', method: 'GET', path }], { serviceTypes: [service], method, paths: [`/compute${asked}`, asked] })

test('a path stands for itself, and for nothing that only looks like it', () => {
  assert.equal(allows('/v2.1/servers', '/v2.1/servers'), true)
  assert.equal(allows('/compute/v2.1/servers', '/v2.1/servers'), true, 'from the root too')
  assert.equal(allows('/v2.1/servers', '/v2.1/servers/'), true)
  for (const asked of ['/v2.1/servers/x', '/v2x1/servers', '/v2.1/server', '/x/v2.1/servers']) assert.equal(allows('/v2.1/servers', asked), false, asked)
  assert.equal(allows('/v2.1/servers', '/v2.1/servers', 'HEAD'), false)
  assert.equal(allows('/v2.1/servers', '/v2.1/servers', 'GET', 'image'), false)
})

test('one star and a name are one segment, two stars any number', () => {
  for (const rule of ['/v2.1/servers/*/ips', '/v2.1/servers/{server_id}/ips']) {
    assert.equal(allows(rule, '/v2.1/servers/a-b/ips'), true)
    for (const asked of ['/v2.1/servers/a/b/ips', '/v2.1/servers//ips', '/v2.1/servers/a', '/v2.1/servers/a/ips/b']) assert.equal(allows(rule, asked), false, asked)
  }
  assert.equal(allows('/v2.1/servers/**', '/v2.1/servers/a/b/c'), true)
  assert.equal(allows('/v2.1/servers/**', '/v2.1/servers/'), false, 'that is the list')
  assert.equal(allows('/v2.1/**', '/v2.1/servers'), true)
  assert.equal(allows('/v2.1/{server', '/v2.1/{server'), true, 'an unfinished name stands for itself')
})

test('what a router would read otherwise than a pattern is refused', () => {
  for (const asked of ['/v2.1/servers/x#/ips', '/v2.1/servers/x;/ips', '/v2.1/servers/../ips', '/v2.1/servers/./ips', '/v2.1//servers', '/v2.1/servers/a\\b/ips']) {
    for (const rule of ['/v2.1/servers/*/ips', '/v2.1/**']) assert.equal(allows(rule, asked), false, asked)
  }
})

test('no pattern is a regular expression', () => {
  assert.equal(allows('/v2.1/(a+)+$', '/v2.1/aaaa'), false)
  assert.equal(allows('/v2.1/(a+)+$', '/v2.1/(a+)+$'), true)
  // Backtracking would never end.
  assert.equal(allows(`/${'**a'.repeat(74)}b`, `/${'a'.repeat(2000)}`), false)
  assert.equal(allows(`/${'**a'.repeat(74)}`, `/${'a'.repeat(2000)}`), true)
  assert.equal(allows('/**/**', '/a/b'), true)
  assert.equal(allows('/v*/**/i*', '/v2/x/y/ips'), true)
  assert.equal(allows('/v2/*x', '/v2/axbx'), true)
  assert.equal(allows('/v2/*x*', '/v2/axb/x'), false)
})
