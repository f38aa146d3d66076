// The server a path names: it does not exist for whom it is not.
import { conflict, notFound } from '#base/errors.ts'
import type { Actor } from '#base/context.ts'
import type { Deps } from '../deps.ts'
import { admin } from '../policy.ts'
import type { ServerRow } from '../schema.ts'
import * as policy from './policy.ts'
import * as servers from './store.ts'

export const serverMissing = (id: string): Error => notFound(`Instance ${id.slice(0, 64)} could not be found.`)

export const target = {
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => servers.find(tx, params.server_id!)),
  sees: policy.show,
  missing: (params: Record<string, string>) => serverMissing(params.server_id!),
}

/** A locked server is changed by administrators only. */
export function notLocked(actor: Actor, server: Pick<ServerRow, 'id' | 'lockedBy'>): void {
  if (server.lockedBy !== null && !admin.allows(actor)) throw conflict(`Instance ${server.id} is locked`)
}
