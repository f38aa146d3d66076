// What the image service's handlers are handed.
import type { Context } from '#base/context.ts'
import type { BlobStore } from '#drivers/blob/contract.ts'
import type { Converter } from '#drivers/conversion/contract.ts'
import { operationsOf } from '#kit/http/operation.ts'
import type { Runner } from '#kit/saga/runner.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import type { ImageConfig } from './config.ts'
import type { ImageTables } from './schema.ts'
import type { Stores } from './stores/stores.ts'

/** What image's handlers are handed. */
export interface Deps {
  store: Store<ImageTables>
  stores: Stores
  /** Bytes that wait for their import. Shared by all control planes. */
  staging: BlobStore
  /** This host's copies of images; absent where none are kept. */
  cache?: { host: string, blobs: BlobStore, maxBytes: number }
  /** Absent where disks cannot be converted. */
  converter?: Converter
  /** Runs imports and deletions. */
  runner(): Runner
  config: ImageConfig
  /** The largest image taken, in bytes. */
  maxImageBytes: number
  /** How many images one project may have where no limit is registered. */
  maxImagesPerProject: number
  /** The catalogue as the caller's token shows it; absent where there is none. */
  catalog?(ctx: Context): Promise<{ type: string, endpoints: { region: string | null, interface: string, url: string }[] }[]>
  /** Users' tokens that imports from another region need, by task: never written down, so they end with this process. */
  tokens: Map<string, string>
  /** A project's registered limits by their names; absent where there is no identity service to keep them. */
  limits?(ctx: Context, projectId: string): Promise<Record<string, number>>
}
export type ImageTx = Tx<ImageTables>
export const operation = operationsOf<Deps>()
