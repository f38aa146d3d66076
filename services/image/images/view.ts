// https://docs.openstack.org/api-ref/image/v2/#show-image
import { seconds } from '#base/time.ts'
import type { Image } from './store.ts'

/** How its imports went; absent before the first. */
const importView = ({ importTaskId, importingTo, failedImport }: Image): object => ({
  ...(importTaskId !== null && { os_glance_import_task: importTaskId }),
  ...(importingTo !== null && { os_glance_importing_to_stores: importingTo }),
  ...(failedImport !== null && { os_glance_failed_import: failedImport }),
})

/** https://docs.openstack.org/api-ref/image/v2/#show-image: properties stand among the attributes. */
export const imageView = (image: Image): Record<string, unknown> => ({
  ...image.properties, ...importView(image), ...(image.locations.length > 0 && { stores: image.locations.map(({ store }) => store).join(',') }),
  name: image.name, disk_format: image.diskFormat, container_format: image.containerFormat, visibility: image.visibility, size: image.size, virtual_size: image.virtualSize,
  status: image.status, checksum: image.checksum, protected: image.protected === 1, min_ram: image.minRamMib, min_disk: image.minDiskGib, owner: image.ownerId,
  os_hidden: image.hidden === 1, os_hash_algo: image.osHashAlgo, os_hash_value: image.osHashValue, id: image.id,
  created_at: seconds(image.createdAt), updated_at: seconds(image.updatedAt),
  tags: image.tags, self: `/v2/images/${image.id}`, file: `/v2/images/${image.id}/file`, schema: '/v2/schemas/image',
})
