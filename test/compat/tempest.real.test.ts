// All of tempest's tests of identity and image against a fresh cloud. A failure that is not known by name and reason fails here, and so does a known one that passes.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { testCloud } from '../cloud.ts'
import { cloudForTempest, imageToFetch, nameImageTwice, tempestConfig } from './tempest-config.ts'
import { knownFailures, reasonsToSkip } from './tempest-known.ts'
import { missingTempest, nameOf, runTempest, summary } from './tempest.ts'

const packages = ['tempest.api.identity', 'tempest.api.image']

test('tempest: identity and image', async (t) => {
  const missing = missingTempest()
  if (missing !== undefined) throw new Error(missing)
  const dir = mkdtempSync(join(tmpdir(), 'pileus-tempest-')), image = await imageToFetch()
  const cloud = await testCloud(cloudForTempest(dir, image.port))
  try {
    await nameImageTwice(cloud)
    const results = await runTempest({ packages, dir, processes: availableParallelism() + 1, config: tempestConfig(cloud.url, cloud.config, image.url) })
    for (const line of summary(results).split('\n')) t.diagnostic(line)
    const failed = results.filter((r) => r.outcome === 'fail'), known = new Set(Object.keys(knownFailures))
    const told = failed.filter((r) => !known.has(nameOf(r.id))).map((r) => `${nameOf(r.id)}\n${r.why}`).join('\n\n')
    assert.ok(told === '', `failed and not known:\n${told}`)
    const passed = new Set(results.filter((r) => r.outcome === 'pass').map((r) => nameOf(r.id)))
    assert.deepEqual([...known].filter((name) => passed.has(name)), [], 'known to fail, and passed: take them from the list')
    assert.deepEqual([...new Set(results.filter((r) => r.outcome === 'skip' && !reasonsToSkip.some(([pattern]) => pattern.test(r.why))).map((r) => `${nameOf(r.id)}: ${r.why.slice(-300)}`))], [], 'skipped for a reason that is not known')
    assert.ok(passed.size > 180, `only ${passed.size} passed`)
  } finally {
    await cloud.close()
    image.close()
    rmSync(dir, { recursive: true, force: true })
  }
})
