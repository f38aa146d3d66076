// Rows of the traits of providers.
import { insert } from '#kit/store/rows.ts'
import type { PlacementTx } from '../deps.ts'

/** In order. */
export const ofProvider = async (tx: PlacementTx, providerId: string): Promise<string[]> =>
  (await tx.db.selectFrom('placementTraits').select('trait').where('providerId', '=', providerId).orderBy('trait').execute()).map((r) => r.trait)

/** The traits that any provider has. */
export const inUse = async (tx: PlacementTx): Promise<string[]> => (await tx.db.selectFrom('placementTraits').select('trait').distinct().execute()).map((r) => r.trait)
/** Whether any provider has it. */
export const isInUse = async (tx: PlacementTx, trait: string): Promise<boolean> =>
  await tx.db.selectFrom('placementTraits').select('providerId').where('trait', '=', trait).limit(1).executeTakeFirst() !== undefined

/** For who holds the provider. Answers whether that changed anything. */
export async function replace(tx: PlacementTx, providerId: string, wanted: string[]): Promise<boolean> {
  const standing = await ofProvider(tx, providerId), shall = new Set(wanted), was = new Set(standing)
  const gone = standing.filter((t) => !shall.has(t)), fresh = wanted.filter((t) => !was.has(t))
  if (gone.length > 0) await tx.db.deleteFrom('placementTraits').where('providerId', '=', providerId).where('trait', 'in', gone).execute()
  if (fresh.length > 0) await insert(tx, 'placementTraits', fresh.map((trait) => ({ providerId, trait })))
  return gone.length + fresh.length > 0
}
