// How an image in a path is found, and whom it shows itself to.
import type { Context } from '#base/context.ts'
import { notFound } from '#base/errors.ts'
import type { Deps, ImageTx } from '../deps.ts'
import * as policy from './policy.ts'
import * as images from './store.ts'

/** An image, and the caller's project when it is shared with that one. */
export type Found = images.Image & { sharedWith?: string }

/** Looks whether it is shared with the caller's project, whatever that project says to it. */
export async function sharing(tx: ImageTx, image: images.Image, projectId: string | undefined): Promise<Found> {
  if (image.visibility !== 'shared' || projectId === undefined || image.ownerId === projectId) return image
  return await images.isMember(tx, image.id, projectId) ? { ...image, sharedWith: projectId } : image
}

/** `{image_id}` in a path: a 404 for who does not see it. */
export const imageTarget = {
  async load(ctx: Context, params: Record<string, string>, { store }: Deps): Promise<Found | undefined> {
    return store.read(async (tx) => {
      const image = await images.find(tx, params.image_id!)
      return image && sharing(tx, image, ctx.actor.projectId)
    })
  },
  sees: policy.seeImage,
  owner: (image: Found): policy.ImageTarget => ({ projectId: image.ownerId, visibility: image.visibility, sharedWith: image.sharedWith }),
  missing: (params: Record<string, string>) => notFound(`No image found with ID ${params.image_id}`),
}
