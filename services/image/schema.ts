// The image service's tables as code sees them.
import type { Flag } from '#kit/store/store.ts'
import type { MetadefTables } from './metadefs/schema.ts'

export interface ImageTables extends MetadefTables {
  imageImages: ImageRow
  imageProperties: { imageId: string, name: string, value: string }
  imageTags: { imageId: string, tag: string }
  imageMembers: MemberRow
}
export type ImageStatus = 'queued' | 'saving' | 'active' | 'deactivated' | 'killed' | 'deleted'
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
  /** Where the bytes are; null while there are none. */
  location: string | null
  createdAt: string
  updatedAt: string
  /** Who is uploading, by a name of his own: a broken upload gives back only what is still its own. */
  uploadId: string | null
}
export interface MemberRow { imageId: string, memberId: string, status: 'pending' | 'accepted' | 'rejected', createdAt: string, updatedAt: string }
