// All of tempest's tests of compute and network against a fresh cloud with pretended guests: what is built passes, the rest is known by name and reason.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { testCloud, type TestCloud } from '../cloud.ts'
import { cloudForCompute, computeConfig, tempestConfig, type ComputeFacts } from './tempest-config.ts'
import { knownComputeFailures, reasonsToSkipCompute, unsteady } from './tempest-known-compute.ts'
import { judgeTempest } from './tempest.ts'

/** Tempest wants two images, and to know what is there. */
async function factsOf(cloud: TestCloud): Promise<ComputeFacts> {
  const admin = await cloud.login('admin')
  const { body: { id: otherImageId } } = await cloud.http(admin, 'POST', '/image/v2/images', { name: 'other', visibility: 'public', disk_format: 'raw', container_format: 'bare' })
  await fetch(`${cloud.url}/image/v2/images/${otherImageId}/file`, { method: 'PUT', headers: { 'x-auth-token': admin, 'content-type': 'application/octet-stream' }, body: Buffer.alloc(1024) })
  const { body: { networks: [external] } } = await cloud.http(admin, 'GET', '/network/v2.0/networks?router:external=True')
  const { body: { extensions } } = await cloud.http(admin, 'GET', '/network/v2.0/extensions')
  return { imageId: cloud.imageId, otherImageId, externalNetworkId: external.id, extensions: extensions.map((e: { alias: string }) => e.alias) }
}

test('tempest: compute and network', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pileus-tempest-')), cloud = await testCloud(cloudForCompute)
  try {
    const config = { ...tempestConfig(cloud.url, cloud.config), ...computeConfig(await factsOf(cloud)) }
    await judgeTempest(t, { packages: ['tempest.api.compute', 'tempest.api.network'], dir, config }, { failures: knownComputeFailures, unsteady, skips: reasonsToSkipCompute, least: 500 })
  } finally {
    await cloud.close()
    rmSync(dir, { recursive: true, force: true })
  }
})
