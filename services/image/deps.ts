// What the image service's handlers are handed.
import type { BlobStore } from '#drivers/blob/contract.ts'
import { operationsOf } from '#kit/http/operation.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import type { ImageTables } from './schema.ts'

export interface Deps {
  store: Store<ImageTables>
  blobs: BlobStore
  /** The largest image taken, in bytes. */
  maxImageBytes: number
  /** How many images one project may have. */
  maxImagesPerProject: number
}
export type ImageTx = Tx<ImageTables>
export const operation = operationsOf<Deps>()
