// Trees change under their roots' hold: two moves that would together close a loop come one after the other.
import { conflict } from '#base/errors.ts'
import type { PlacementTx } from '../deps.ts'
import { codes } from '../replies.ts'
import type { ProviderRow } from '../schema.ts'
import * as providers from './store.ts'

/** What is held of the trees, as it is; `subtree`: the ids of `self` and all below it. */
export interface Hung { self?: ProviderRow, parent?: ProviderRow, subtree: string[] }

/** Holds all that hanging `selfId` (undefined: a new one) below `parentId` (undefined: nothing) touches, and refuses a parent that is missing or below it. */
export async function hang(tx: PlacementTx, parentId: string | undefined, selfId: string | undefined, refused: (why: string) => Error): Promise<Hung> {
  const touched: string[] = []
  for (const id of [parentId, selfId]) {
    const row = id === undefined ? undefined : await providers.find(tx, id)
    if (row) touched.push(row.id, row.rootId)
  }
  const held = await providers.hold(tx, touched)
  const [parent, self] = [parentId, selfId].map((id) => (id === undefined ? undefined : held.get(id)))
  if (parentId !== undefined && !parent) throw refused('parent provider UUID does not exist.')
  if (selfId !== undefined && !self) throw providers.absent(selfId)
  // Somebody moved one of them before we held it: its new root is not held.
  for (const row of [parent, self]) {
    if (row && !held.has(row.rootId)) throw conflict('The provider tree was changed by somebody else meanwhile. Try again.', { type: codes.concurrent })
  }
  if (!self) return { parent, subtree: [] }
  const children = Map.groupBy(await providers.inTree(tx, self.rootId), (row) => row.parentId)
  const subtree = [self.id]
  for (const id of subtree) subtree.push(...(children.get(id) ?? []).map((row) => row.id))
  if (parent && subtree.includes(parent.id)) throw refused('creating loop in the provider tree is not allowed.')
  return { self, parent, subtree }
}
