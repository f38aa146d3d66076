// Metadata definitions: namespaces, and all that lies in them in one table.
import type { Flag } from '#kit/store/store.ts'

export interface MetadefTables {
  imageNamespaces: NamespaceRow
  imageDefinitions: DefinitionRow
  imageResourceTypes: ResourceTypeRow
}
export interface NamespaceRow {
  id: string
  namespace: string
  displayName: string | null
  description: string | null
  visibility: 'public' | 'private'
  protected: Flag
  ownerId: string | null
  createdAt: string
  updatedAt: string
}
export type Kind = 'object' | 'property' | 'tag' | 'resource_type'
/** `definition` is what the user said of it beside its name, as JSON. */
export interface DefinitionRow { namespaceId: string, kind: Kind, name: string, definition: string, createdAt: string, updatedAt: string }
export interface ResourceTypeRow { name: string, createdAt: string, updatedAt: string }
