// Writes the catalogue of definitions into fresh tables.
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { insert } from '#kit/store/rows.ts'
import { flag, type Tx } from '#kit/store/store.ts'
import { catalogue } from './catalogue.ts'
import type { DefinitionRow, NamespaceRow } from './schema.ts'
import { definitionOf } from './view.ts'

/** Runs again after an interrupted migration: whatever is there of the catalogue stays. */
export async function seed(tx: Tx): Promise<void> {
  const at = now(), times = { createdAt: at, updatedAt: at }
  const there = new Set((await tx.db.selectFrom('imageNamespaces').select('namespace').execute()).map((row) => String(row.namespace)))
  const missing = catalogue.filter(({ namespace }) => !there.has(namespace)).map((one) => ({ ...one, id: newId() }))
  if (missing.length === 0) return
  const namespaces = missing.map(({ id, namespace, displayName, description, protected: kept }): NamespaceRow =>
    ({ id, namespace, displayName, description, visibility: 'public', protected: flag(kept), ownerId: 'admin', ...times }))
  const definitions = missing.flatMap((one): DefinitionRow[] => [
    ...one.associations.map(([name, prefix, target]) => definitionOf('resource_type', name, { ...(prefix && { prefix }), ...(target && { properties_target: target }) })),
    ...Object.entries(one.properties).map(([name, property]) => definitionOf('property', name, property)),
    ...Object.entries(one.objects ?? {}).map(([name, object]) => definitionOf('object', name, object)),
  ].map((row) => ({ namespaceId: one.id, ...row, ...times })))
  await insert(tx, 'imageNamespaces', namespaces.map((row) => ({ ...row })))
  await insert(tx, 'imageDefinitions', definitions.map((row) => ({ ...row })))
  const known = new Set((await tx.db.selectFrom('imageResourceTypes').select('name').execute()).map((row) => String(row.name)))
  const types = new Set(definitions.filter((row) => row.kind === 'resource_type').map((row) => row.name))
  const rows = [...types].filter((name) => !known.has(name)).map((name) => ({ name, ...times }))
  if (rows.length > 0) await insert(tx, 'imageResourceTypes', rows)
}
