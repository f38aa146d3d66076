// All operations on metadata definitions, in the order of the reference.
import { definitionOperations } from './definitions.ts'
import { createNamespace, deleteNamespace, listNamespaces, showNamespace, updateNamespace } from './namespaces.ts'
import { createAssociation, deleteAssociation, listAssociations, listResourceTypes } from './resource-types.ts'

/** All of them. */
export const metadefOperations = [
  createNamespace, listNamespaces, showNamespace, updateNamespace, deleteNamespace, listResourceTypes,
  createAssociation, listAssociations, deleteAssociation, ...definitionOperations,
]
