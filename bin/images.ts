// What the image service works with on this host: its stores, the staging area, the cache, the converter.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { explain } from '#base/errors.ts'
import type { Context } from '#base/context.ts'
import { blobDrivers } from '#drivers/blob/index.ts'
import { converters } from '#drivers/conversion/index.ts'
import type { ServiceClient } from '#kit/http/client.ts'
import type { Runner } from '#kit/saga/runner.ts'
import type { Store } from '#kit/store/store.ts'
import { GIB } from '#base/units.ts'
import type { Deps } from '#services/image/deps.ts'
import { configOf } from '#services/image/settings.ts'
import { Stores, type ImageStore } from '#services/image/stores/stores.ts'
import { sweep } from '#services/image/sweep.ts'
import type { CloudConfig } from './config.ts'

/** A user of this cloud's own for the converter, outside the range of the guests' (which ends below 150,000,000). */
const converterUid = (cloudId: string): number => 200_000_000 + createHash('sha256').update(cloudId).digest().readUInt32BE(4) % 1_000_000

export async function imageDeps({ config, store, runner, client }: { config: CloudConfig, store: Store, runner: () => Runner, client(service: string): ServiceClient }): Promise<Deps> {
  const { stateDir, images = {} } = config, home = images.home ?? join(stateDir, 'images')
  const open = async (id: string, dir: string, more: Partial<ImageStore> = {}): Promise<ImageStore> => ({ id, type: 'file', weight: 0, properties: { data_dir: dir }, blobs: await blobDrivers.file({ dir }), ...more })
  const list = [await open('file', home), ...await Promise.all((images.stores ?? []).map(({ id, dir, description, weight = 0 }) => open(id, dir, { weight, ...(description !== undefined && { description }) })))]
  const asImage = (ctx: Context): Context => ({ ...ctx, actor: { ...ctx.actor, service: 'image' } })
  return {
    limits: async (ctx, projectId) => (await client('identity').call<{ limits: Record<string, number> }>(asImage(ctx), 'limitsOf', { params: { project_id: projectId, service_type: 'image' } })).body.limits,
    catalog: async (ctx) => (await client('identity').call(ctx, 'showOwnCatalog')).body.catalog, tokens: new Map(),
    store: store.as(), stores: new Stores(list, images.defaultStore ?? 'file'), staging: await blobDrivers.file({ dir: join(home, 'staging') }),
    ...(images.cacheGib !== 0 && { cache: { host: config.host, blobs: await blobDrivers.file({ dir: join(stateDir, 'image-cache') }), maxBytes: (images.cacheGib ?? 10) * GIB } }),
    converter: await converters['qemu-img']({ dir: join(stateDir, 'conversion'), uid: converterUid(config.cloudId) }),
    runner, config: configOf(images), maxImageBytes: config.maxImageBytes, maxImagesPerProject: 1000,
  }
}

const sweepMs = 60_000

/** Puts right what dead processes left, now and every minute. */
export function sweepImages(context: () => Context, deps: Deps): () => Promise<void> {
  let running = Promise.resolve()
  const run = (): void => {
    const ctx = context()
    running = running.then(() => sweep(ctx, deps)).catch((error: unknown) => ctx.log.warn({ error: explain(error) }, 'images were not looked through'))
  }
  run()
  const timer = setInterval(run, sweepMs).unref()
  return async () => { clearInterval(timer); await running }
}
