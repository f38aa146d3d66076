import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startCompute, type ComputeTest } from '../testing/start.ts'

let api: ComputeTest
before(async () => { api = await startCompute() })
after(() => api.close())

test('what is built is listed, what is not is not there', async () => {
  const show = (alias: string) => api.call<any>('reader', 'compute', 'showExtension', { params: { alias } })
  // All that is left of nova's: os-resetState. The other two were xenapi's.
  assert.equal((await show('os-admin-actions')).body.extension.name, 'AdminActions')
  assert.equal((await show('os-shelve')).status, 404)
  const { extensions } = (await api.call<any>('reader', 'compute', 'listExtensions')).body
  assert.deepEqual(extensions.map((e: { alias: string }) => e.alias), extensions.map((e: { alias: string }) => e.alias).toSorted())
})
