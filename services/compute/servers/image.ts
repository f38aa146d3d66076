// Whether a server can be made of an image: it is there, active, and fits the flavor.
import { isLookedInto } from '#base/containers.ts'
import { badRequest, forbidden, isFault } from '#base/errors.ts'
import type { Context } from '#base/context.ts'
import type { ServiceClient } from '#kit/http/client.ts'
import { GIB } from '#base/units.ts'
import { admin } from '../policy.ts'
import type { FlavorRow } from '../schema.ts'

/** As on glance's wire; only what is read here. */
export interface Image { id: string, name: string | null, status: string, container_format?: string | null, min_ram: number, min_disk: number, size: number | null, virtual_size?: number | null }

/** The image as the caller sees it; not his is not there. */
export async function imageOf(ctx: Context, client: ServiceClient, imageId: string): Promise<Image> {
  const { body } = await client.call<Image>(ctx, 'showImage', { params: { image_id: imageId } }).catch((error: unknown) => {
    throw isFault(error, 'notFound') || isFault(error, 'forbidden') ? badRequest('Can not find requested image') : error
  })
  return body
}

export function checkFit(ctx: Context, image: Image, flavor: Pick<FlavorRow, 'memoryMib' | 'diskGib'>): void {
  if (image.status !== 'active') throw badRequest(`Image ${image.id} is not active.`)
  if (!isLookedInto(image.container_format)) throw badRequest(`Image ${image.id} is in a container of the format ${image.container_format}, which no server boots from.`)
  if (flavor.memoryMib < (image.min_ram ?? 0)) throw badRequest('Flavor\'s memory is too small for requested image.')
  if (flavor.diskGib === 0) {
    // Without a size of its own the disk would be as large as any image: nobody but administrators may do that.
    if (!admin.allows(ctx.actor)) throw forbidden('Only volume-backed servers are allowed for flavors with zero disk.')
    return
  }
  const diskBytes = flavor.diskGib * GIB
  // A compressed or sparse image grows to its virtual size on the host: better refused now than there.
  const imageBytes = Math.max(image.size ?? 0, image.virtual_size ?? 0)
  if (imageBytes > diskBytes) throw badRequest(`Flavor's disk is too small for requested image. Flavor disk is ${diskBytes} bytes, image is ${imageBytes} bytes.`)
  if (flavor.diskGib < (image.min_disk ?? 0)) throw badRequest(`Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is ${diskBytes} bytes, minimum size is ${image.min_disk * GIB} bytes.`)
}
