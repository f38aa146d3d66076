// All of tempest's tests of identity and image, and its scenario of image quotas, against fresh clouds. A failure that is not known by name and reason fails here, and so does a known one that passes.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { testCloud } from '../cloud.ts'
import { cloudForTempest, imageToFetch, nameImageTwice, registerImageLimits, tempestConfig } from './tempest-config.ts'
import { knownFailures, reasonsToSkip } from './tempest-known.ts'
import { judgeTempest } from './tempest.ts'

test('tempest: identity and image', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pileus-tempest-')), image = await imageToFetch()
  const cloud = await testCloud(cloudForTempest(dir, image.port))
  try {
    await nameImageTwice(cloud)
    await judgeTempest(t, { packages: ['tempest.api.identity', 'tempest.api.image'], dir, config: tempestConfig(cloud.url, cloud.config, image.url) }, { failures: knownFailures, skips: reasonsToSkip, least: 180 })
  } finally {
    await cloud.close()
    image.close()
    rmSync(dir, { recursive: true, force: true })
  }
})

test('tempest: quotas of images, kept by identity', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pileus-tempest-')), image = await imageToFetch()
  const cloud = await testCloud(cloudForTempest(dir, image.port))
  try {
    await registerImageLimits(cloud)
    await judgeTempest(t, { packages: ['tempest.scenario'], only: 'ImageQuotaTest', dir, config: tempestConfig(cloud.url, cloud.config, image.url) }, { failures: {}, skips: [], least: 3 })
  } finally {
    await cloud.close()
    image.close()
    rmSync(dir, { recursive: true, force: true })
  }
})
