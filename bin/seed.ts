// The first inhabitants of a cloud: projects and users, flavors, networks, an image. Run at every start: what stands is left as it is.
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { Actor } from '#base/context.ts'
import { isFault } from '#base/errors.ts'
import { alone } from '#kit/store/alone.ts'
import { seed as seedIdentity, type Seeded } from '#services/identity/seed.ts'
import { seed as seedNetwork } from '#services/network/seed.ts'
import type { Cloud } from './cloud.ts'

/** Name, vCPUs, MiB of memory, GiB of disk: what nova's own documentation has always called so. */
const flavors = [['1', 'm1.tiny', 1, 512, 1], ['2', 'm1.small', 1, 2048, 20], ['3', 'm1.medium', 2, 4096, 40], ['4', 'm1.large', 4, 8192, 80]] as const

export const guestImageName = 'pileus-guest'

/** Control planes that start at once over one database do it one after the other. */
export const seed = (cloud: Cloud, progress: (line: string) => void = () => {}): Promise<Seeded> => alone(cloud.store, 'seed', { owner: cloud.config.host }, () => seedAlone(cloud, progress))

async function seedAlone(cloud: Cloud, progress: (line: string) => void): Promise<Seeded> {
  const { config, url, store } = cloud
  const endpoint = (type: string, name: string, path: string) => ({ type, name, url: url + path })
  const seeded = await seedIdentity(store, {
    passwords: { admin: config.secrets.adminPassword, demo: config.secrets.demoPassword }, ...(config.passwordCost && { passwordCost: config.passwordCost }),
    endpoints: [
      endpoint('identity', 'keystone', '/identity'), endpoint('image', 'glance', '/image'), endpoint('network', 'neutron', '/network'),
      endpoint('placement', 'placement', '/placement'), endpoint('compute', 'nova', '/compute/v2.1'),
    ],
  })
  const admin: Actor = { userId: seeded.adminUserId, projectId: seeded.adminProjectId, projectDomainId: 'default', roles: ['admin', 'manager', 'member', 'reader'] }
  const ctx = cloud.context(admin)
  const unlessThere = async (work: Promise<unknown>): Promise<void> => { await work.catch((error: unknown) => { if (!isFault(error, 'conflict')) throw error }) }

  for (const [id, name, vcpus, ram, disk] of flavors) await unlessThere(cloud.client('compute').call(ctx, 'createFlavor', { body: { flavor: { id, name, vcpus, ram, disk } } }))
  await seedNetwork(ctx, cloud.client('network'), { demoProjectId: seeded.demoProjectId, external: config.external })

  const image = cloud.client('image')
  const { body } = await image.call<{ images: { id: string, status: string }[] }>(ctx, 'listImages', { query: { name: guestImageName } })
  if (!body.images.some((i) => i.status === 'active')) {
    progress(`storing the image ${guestImageName}`)
    for (const broken of body.images) await image.call(ctx, 'deleteImage', { params: { image_id: broken.id } })
    const made = await image.call<{ id: string }>(ctx, 'createImage', { body: { name: guestImageName, visibility: 'public', disk_format: config.seedImage ? 'qcow2' : 'raw', container_format: 'bare', min_disk: config.seedImage ? 1 : 0, os_distro: 'debian' } })
    // With the fake driver nothing boots; a megabyte of nothing stands for a disk.
    const stream = config.seedImage ? createReadStream(config.seedImage) : Readable.from([Buffer.alloc(1024 ** 2)])
    await image.call(ctx, 'uploadImage', { params: { image_id: made.body.id }, stream, headers: { 'content-type': 'application/octet-stream' } })
  }
  return seeded
}
