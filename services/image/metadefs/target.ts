// How a namespace in a path is found, and what may be done to it.
import type { Context } from '#base/context.ts'
import { forbidden, notFound } from '#base/errors.ts'
import type { Deps } from '../deps.ts'
import * as policy from './policy.ts'
import type { NamespaceRow } from './schema.ts'
import { readOnly } from './shapes.ts'
import * as metadefs from './store.ts'

/** `{namespace_name}` in a path: a 404 for who does not see it. */
export const namespaceTarget = {
  load: (_ctx: Context, params: Record<string, string>, { store }: Deps): Promise<NamespaceRow | undefined> =>
    store.read((tx) => metadefs.findNamespace(tx, params.namespace_name!)),
  sees: policy.see,
  owner: (row: NamespaceRow): policy.NamespaceTarget => ({ projectId: row.ownerId, visibility: row.visibility }),
  missing: (params: Record<string, string>) => notFound(`Metadata definition namespace=${params.namespace_name} was not found.`),
}

/** What stands in a protected namespace stays. */
export function notProtected(namespace: NamespaceRow, what: string): void {
  if (namespace.protected === 1) throw forbidden(`Metadata definition ${what} is protected and cannot be deleted.`)
}

/** What the service alone says is a 403, not a 400. */
export function refuseReadOnly(body: object): void {
  const said = readOnly.find((name) => Object.hasOwn(body, name))
  if (said) throw forbidden(`Attribute '${said}' is read-only.`)
}

/** The 404 for what is not in the namespace. */
export const noDefinition = (kind: string, name: string, namespace: NamespaceRow): Error =>
  notFound(`The metadata definition ${kind.replace('_', '-')} with name=${name} was not found in namespace=${namespace.namespace}.`)
