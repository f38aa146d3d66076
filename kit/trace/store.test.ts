import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { migrate } from '#kit/store/migrations.ts'
import { storeMigrations } from '#kit/store/rows.ts'
import { openStore } from '#kit/store/store.ts'
import { keepSpans, spansOf, traceMigrations } from './store.ts'

test('details that are too long are kept short, and can be read again', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'pileus-trace-')), store = await openStore({ engine: 'sqlite', file: join(dir, 'db'), volatile: true })
  t.after(async () => { await store.close(); await rm(dir, { recursive: true }) })
  await migrate(store, [{ area: 'kit', migrations: storeMigrations }, { area: 'kit.trace', migrations: traceMigrations }])
  const span = { traceId: 't', resourceId: 'r', name: 'compute.request', startedAt: 1, tookMs: 2 }
  await keepSpans(store, [{ ...span, tenant: { method: 'GET', path: `/${'"'.repeat(30_000)}`, status: 200 }, admin: { hosts: Array.from({ length: 2000 }, (_x, i) => `host-${i}`) } }, { ...span, startedAt: 2, tenant: { path: '/short' } }])
  const [long, short] = await store.read((tx) => spansOf(tx, ['r']))
  assert.deepEqual([long!.tenant, long!.admin], [{ method: 'GET', path: `/${'"'.repeat(199)}…`, status: 200 }, { hosts: '…' }])
  assert.deepEqual([short!.tenant, short!.admin], [{ path: '/short' }, undefined])
})
