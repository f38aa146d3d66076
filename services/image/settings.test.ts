import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultConfig } from './config.ts'
import { configOf, imageSettings } from './settings.ts'

test('an empty file changes nothing, a full one everything it names', () => {
  assert.deepEqual(configOf(imageSettings({})), defaultConfig)
  const config = configOf(imageSettings({
    stores: [{ id: 'fast', dir: '/srv/fast' }], defaultStore: 'fast', importMethods: ['web-download'], webDownload: { hosts: { allow: ['*.example.org'] }, ports: { deny: [80] }, redirects: 0, hours: 1 },
    glanceDownload: { networks: { allow: ['10.9.0.0/16'] }, properties: ['hw_'] }, perImage: { tags: -1 }, decompress: true, convertTo: 'qcow2', inject: { properties: { os_distro: 'debian' } }, taskHours: 1,
  }))
  assert.deepEqual(config.webDownload, { ...defaultConfig.webDownload, hosts: { allow: ['*.example.org'], deny: [] }, ports: { allow: [80, 443], deny: [80] }, redirects: 0 })
  assert.deepEqual(config.glanceDownload, { rules: { ...defaultConfig.glanceDownload.rules, networks: { allow: ['10.9.0.0/16'], deny: [] } }, properties: ['hw_'] })
  assert.deepEqual(config.perImage, { members: 128, properties: 128, tags: -1 })
  assert.deepEqual([config.methods, config.plugins, config.taskLifeMs, config.webBounds.maxMs], [['web-download'], { decompress: true, convertTo: 'qcow2', inject: { properties: { os_distro: 'debian' }, unlessRoles: ['admin'] } }, 3600_000, 3600_000])
})

test('what is misspelt or of the wrong kind is named', () => {
  for (const [value, why] of [
    [{ store: [] }, /'store' was unexpected/], [{ stores: [{ id: 'a/b', dir: '/x' }] }, /id/], [{ stores: [{ id: 'a', dir: 'x' }] }, /dir/], [{ convertTo: 'vmdk' }, /convertTo/], [{ webDownload: { ports: { allow: ['80'] } } }, /80/],
    [{ webDownload: { networks: { allow: ['10.0.0.0/33'] } } }, /10\.0\.0\.0\/33/], [{ glanceDownload: { networks: { deny: ['10.0.0.1'] } } }, /10\.0\.0\.1/], [[], /./], [5, /./], [null, /./],
  ] as const) assert.throws(() => imageSettings(value), why)
})
