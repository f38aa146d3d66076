// The image service's table of contents: glance v2.
import type { ServiceModule } from '#kit/service.ts'
import { htmlPage, htmlText } from '#kit/http/faults.ts'
import { statusText } from '#kit/http/status.ts'
import { cleanImageCache, clearCache, pruneImageCache, queueForCache, removeFromCache, showCache } from './cache/api.ts'
import type { Deps } from './deps.ts'
import { addTag, deactivateImage, deleteImage, reactivateImage, removeTag, showImage } from './images/api.ts'
import { createImage } from './images/create.ts'
import { downloadImage, uploadImage } from './images/data.ts'
import { listImages } from './images/list.ts'
import { updateImage } from './images/update.ts'
import { importImageData } from './imports/api.ts'
import { importImage } from './imports/saga.ts'
import { listStoreDetails, listStores, showImportInfo } from './info/api.ts'
import { addLocation, listLocations } from './locations/api.ts'
import { addMember, listMembers, removeMember, showMember, updateMember } from './members/api.ts'
import { metadefOperations } from './metadefs/api.ts'
import { first } from './migrations/0001-first.ts'
import { metadefs } from './migrations/0002-metadefs.ts'
import { data } from './migrations/0004-data.ts'
import { retired } from './migrations/0005-retired.ts'
import { showUsage } from './quota/api.ts'
import { schemaOperations } from './schemas/api.ts'
import { appendToStage, removeStage, showStage, stageImage } from './stage/api.ts'
import { removeFromStore } from './stores/api.ts'
import { purgeImage } from './stores/purge.ts'
import { createTask, listImageTasks, listTasks, showTask } from './tasks/api.ts'
import { versionOperations } from './versions/api.ts'

export const image: ServiceModule<Deps> = {
  http: {
    name: 'image', mount: '/image', prefixes: ['/v2'], strictPaths: true, tokens: 'project',
    operations: [
      ...versionOperations(() => image.http.operations), listImages, createImage, showImage, updateImage, deleteImage,
      uploadImage, downloadImage, deactivateImage, reactivateImage, addTag, removeTag,
      listMembers, showMember, addMember, updateMember, removeMember, ...schemaOperations,
      ...metadefOperations,
      stageImage, appendToStage, showStage, removeStage, importImageData, showImportInfo, listStores, listStoreDetails, removeFromStore, listLocations, addLocation,
      listTasks, createTask, showTask, listImageTasks, showCache, clearCache, queueForCache, removeFromCache, cleanImageCache, pruneImageCache,
      showUsage,
    ],
    statuses: { overQuota: 413 },
    envelope: (fault) => ({ code: `${fault.status} ${statusText(fault.status)}`, title: statusText(fault.status), message: htmlText(fault.message) }),
    faultPage: htmlPage,
  },
  migrations: [
    first,
    metadefs,
    data,
    retired,
  ],
  access: async () => (await Promise.all([
    import('./versions/access.ts'), import('./schemas/access.ts'), import('./images/access.ts'), import('./members/access.ts'),
    import('./metadefs/access.ts'),
    import('./stage/access.ts'), import('./imports/access.ts'), import('./info/access.ts'), import('./stores/access.ts'),
    import('./locations/access.ts'), import('./tasks/access.ts'),
    import('./cache/access.ts'),
    import('./quota/access.ts'),
  ])).flatMap((m) => m.access),
}

/** What the image service's runner can run. */
export const imageSagas = [importImage, purgeImage]
