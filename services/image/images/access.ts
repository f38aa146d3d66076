import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'
import { Readable } from 'node:stream'

/** So many bytes to upload. */
export const octets = (size = 512): { stream: Readable, headers: Record<string, string> } =>
  ({ stream: Readable.from([Buffer.alloc(size)]), headers: { 'content-type': 'application/octet-stream' } })
/** A private image of the personas' project, its data there. */
export const privateImage = async (w: AccessWorld, visibility = 'private'): Promise<{ params: { image_id: string } }> => {
  const { body } = await w.call('member', 'image', 'createImage', { body: { name: w.unique('image'), disk_format: 'raw', container_format: 'bare', visibility } })
  await w.call('member', 'image', 'uploadImage', { params: { image_id: body.id }, ...octets(1024) })
  return { params: { image_id: body.id } }
}
/** One without data. */
export const queuedImage = async (w: AccessWorld): Promise<{ params: { image_id: string } }> => {
  const { body } = await w.call('member', 'image', 'createImage', { body: { name: w.unique('image'), disk_format: 'raw', container_format: 'bare', visibility: 'private' } })
  return { params: { image_id: body.id } }
}
const renaming = { body: [{ op: 'replace', path: '/name', value: 'b' }], headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' } }
export const access: AccessCase[] = [
  { operation: 'listImages', expect: verdicts.listing() },
  { operation: 'createImage', request: (w) => ({ body: { name: w.unique('image') } }), expect: verdicts.creating(201) },
  { operation: 'createImage', about: 'public', request: (w) => ({ body: { name: w.unique('image'), visibility: 'public' } }), expect: verdicts.admin(201) },
  { operation: 'showImage', request: (w) => privateImage(w), expect: verdicts.reader() },
  { operation: 'showImage', about: 'community', request: (w) => privateImage(w, 'community'), expect: verdicts.listing() },
  { operation: 'updateImage', request: async (w) => ({ ...await privateImage(w), ...renaming }), expect: verdicts.member(200) },
  { operation: 'updateImage', about: 'community', request: async (w) => ({ ...await privateImage(w, 'community'), ...renaming }),
    expect: { ...verdicts.member(200), other: 403 } },
  { operation: 'deleteImage', request: (w) => privateImage(w), expect: verdicts.member(204) },
  { operation: 'uploadImage', request: async (w) => ({ ...await queuedImage(w), ...octets() }), expect: verdicts.member(204) },
  { operation: 'downloadImage', request: (w) => privateImage(w), expect: { ...verdicts.reader(), reader: 403 } },
  { operation: 'deactivateImage', request: (w) => privateImage(w), expect: verdicts.member(204) },
  { operation: 'reactivateImage', request: (w) => privateImage(w), expect: verdicts.member(204) },
  { operation: 'addImageTag', request: async (w) => ({ params: { ...(await privateImage(w)).params, tag: 'x' } }), expect: verdicts.member(204) },
  { operation: 'removeImageTag', request: async (w) => {
    const { params } = await privateImage(w)
    await w.call('member', 'image', 'addImageTag', { params: { ...params, tag: 'x' } })
    return { params: { ...params, tag: 'x' } }
  }, expect: verdicts.member(204) },
]
