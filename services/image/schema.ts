// The image service's tables as code sees them.
import type { Flag } from '#kit/store/store.ts'
import type { MetadefTables } from './metadefs/schema.ts'

export interface ImageTables extends MetadefTables, DataTables {
  imageImages: ImageRow
  imageProperties: { imageId: string, name: string, value: string }
  imageTags: { imageId: string, tag: string }
  imageMembers: MemberRow
  /** Deleted images: their ids, which users may choose, come never again. */
  imageRetired: { id: string, deletedAt: string }
}
export type ImageStatus = 'queued' | 'saving' | 'uploading' | 'importing' | 'active' | 'deactivated' | 'killed' | 'deleted'
export type Visibility = 'public' | 'private' | 'shared' | 'community'

export interface ImageRow {
  id: string
  name: string | null
  ownerId: string | null
  visibility: Visibility
  status: ImageStatus
  protected: Flag
  hidden: Flag
  diskFormat: string | null
  containerFormat: string | null
  minDiskGib: number
  minRamMib: number
  size: number | null
  virtualSize: number | null
  checksum: string | null
  osHashAlgo: string | null
  osHashValue: string | null
  createdAt: string
  updatedAt: string
  /** Who is uploading, by a name of his own: a broken upload gives back only what is still its own. */
  uploadId: string | null
  /** He shows that he lives by moving this on; later than that, anybody may queue the image again. */
  uploadUntil: string | null
  /** The import that works on the image: what any other does to it is refused. */
  importTaskId: string | null
  /** Stores, joined by commas, that the last import is still to fill, and that it failed to fill. Null before the first import. */
  importingTo: string | null
  failedImport: string | null
}
export interface MemberRow { imageId: string, memberId: string, status: 'pending' | 'accepted' | 'rejected', createdAt: string, updatedAt: string }

/** Where bytes are: in stores, staged, cached; and the tasks that bring them there. */
export interface DataTables {
  imageLocations: LocationRow
  imageStageParts: StagePartRow
  imageTasks: TaskRow
  imageCached: CachedRow
}
/** One store's copy of an image. `taskId` is set while an import is still at it: then nobody reads it yet. */
export interface LocationRow { imageId: string, store: string, location: string, taskId: string | null }
/**
 * Staged bytes, in pieces that follow each other. A `form` is what a step of an import made of the one before: 0 is what came, the highest one counts.
 * Nothing follows a piece that is `last`.
 */
export interface StagePartRow { imageId: string, form: number, startAt: number, size: number, location: string, last: Flag, createdAt: string }
export type TaskStatus = 'pending' | 'processing' | 'success' | 'failure'
export interface TaskRow {
  id: string
  type: 'import' | 'api_image_import'
  status: TaskStatus
  ownerId: string | null
  userId: string
  requestId: string
  imageId: string | null
  /** JSON. */
  input: string
  result: string | null
  message: string
  createdAt: string
  updatedAt: string
  /** Set when it ends; it is forgotten then. */
  expiresAt: string | null
}
/** One host's cached copy of an image; `location` is null while it is only asked for. */
export interface CachedRow { host: string, imageId: string, location: string | null, size: number, hits: number, accessedAt: string, modifiedAt: string }
