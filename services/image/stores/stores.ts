// The stores that images' bytes are kept in, by the names users see. Each is a blob store of its own; equal bytes lie in each at most once.
import type { BlobStore } from '#drivers/blob/contract.ts'

/** A store as the API tells of it, with its driver. */
export interface ImageStore {
  id: string
  /** The driver's name: `file`. */
  type: string
  description?: string
  /** Of an image's copies the one in the store of the highest weight is read; the default one when they are equal. */
  weight: number
  /** Shown to administrators. */
  properties: Record<string, string | number | boolean>
  blobs: BlobStore
}

/** The stores of this cloud, in the order of their ids. */
export class Stores {
  readonly list: readonly ImageStore[]
  readonly defaultId: string

  constructor(list: readonly ImageStore[], defaultId: string) {
    this.list = list.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    this.defaultId = defaultId
    if (!this.find(defaultId)) throw new Error(`the default store ${defaultId} is not among the stores`)
  }

  get ids(): string[] { return this.list.map((store) => store.id) }
  find(id: string): ImageStore | undefined { return this.list.find((store) => store.id === id) }
  /** The store an image was put in; undefined when it is configured no more. */
  blobs(id: string): BlobStore | undefined { return this.find(id)?.blobs }

  /** Copies in the order in which they are read. */
  ordered<T extends { store: string }>(copies: readonly T[]): T[] {
    const rank = ({ store }: T): number => (this.find(store)?.weight ?? -Infinity) + (store === this.defaultId ? 0.5 : 0)
    return copies.toSorted((a, b) => rank(b) - rank(a))
  }
}
