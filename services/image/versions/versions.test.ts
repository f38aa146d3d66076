import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startImage } from '../testing/start.ts'
import { builtVersions } from './api.ts'

test('only versions whose additions are built are named', () => {
  const named = (...names: string[]) => builtVersions(names.map((name) => ({ name })))
  assert.deepEqual(named(), ['v2.1', 'v2.0'])
  assert.equal(named('createMetadefNamespace', 'deactivateImage')[0], 'v2.5')
  assert.equal(named('createMetadefNamespace', 'deactivateImage', 'listStores')[0], 'v2.5', 'none beyond a gap')
  const all = named('createMetadefNamespace', 'deactivateImage', 'importImage', 'listStores', 'listImageTasks', 'showUsage', 'showImageCache', 'listStoreDetails', 'addImageLocation', 'pruneImageCache')
  assert.equal(all[0], 'v2.18')
  assert.equal(all.length, 19)
})

test('the documents at the root and below it', async () => {
  const api = await startImage()
  try {
    const root = await api.http<any>('GET', '/image/'), plain = await api.http<any>('GET', '/image/versions')
    assert.deepEqual([root.status, plain.status], [300, 200])
    assert.deepEqual(root.body, plain.body)
    assert.equal(root.body.versions[0].id, 'v2.18', 'all is built')
    assert.deepEqual(root.body.versions[0].links, [{ rel: 'self', href: `${api.publicUrl}/image/v2/` }])
    assert.deepEqual(root.body.versions.map((v: any) => v.status), ['CURRENT', ...Array<string>(root.body.versions.length - 1).fill('SUPPORTED')])
  } finally {
    await api.close()
  }
})
