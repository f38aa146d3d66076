// Rows of images by what lists ask for.
import type { ImageTx } from '../deps.ts'
import { page, type Page } from '../page-store.ts'
import type { ImageRow } from '../schema.ts'
import { complete, type Image } from './store.ts'

type Compared = '=' | '!=' | '>' | '>=' | '<' | '<=' | 'like' | 'not like'
/** What filters may compare; the wire's names are mapped by the caller. */
export interface ImageQuery {
  /** Undefined: an administrator, who sees all. */
  seenBy?: string
  /** The caller's own project: its community images are listed unasked, others' are not. */
  projectId?: string
  visibility?: string
  memberStatus: string
  hidden: boolean
  /** One of these values; a number stands for itself. */
  equal: Partial<Record<keyof ImageRow, (string | number)[]>>
  compared: { column: keyof ImageRow, op: Compared, value: string | number }[]
  tags: string[]
  properties: [string, string][]
  page: Page<keyof ImageRow>
}

/** Columns that may be NULL sort as if empty, on every engine alike. */
export const empty: Page<keyof ImageRow>['empty'] = { name: '', containerFormat: '', diskFormat: '', size: 0 }

/** A page of images, whatever its size by the same number of queries. */
export async function list(tx: ImageTx, q: ImageQuery): Promise<Image[]> {
  let query = tx.db.selectFrom('imageImages').selectAll().where('hidden', '=', q.hidden ? 1 : 0)
  const { seenBy, visibility } = q
  if (seenBy !== undefined) {
    const members = tx.db.selectFrom('imageMembers').select('imageId').where('memberId', '=', seenBy)
      .$if(q.memberStatus !== 'all', (b) => b.where('status', '=', q.memberStatus as never))
    query = query.where((eb) => eb.or([
      eb('ownerId', '=', seenBy),
      eb('visibility', 'in', ['public', 'community']),
      eb.and([eb('visibility', '=', 'shared'), eb('id', 'in', members)]),
    ]))
  }
  if (visibility === undefined) {
    const owned = q.projectId
    query = query.where((eb) => eb.or([eb('visibility', '!=', 'community'), ...(owned === undefined ? [] : [eb('ownerId', '=', owned)])]))
  } else if (visibility !== 'all') query = query.where('visibility', '=', visibility as never)
  for (const [column, values] of Object.entries(q.equal)) query = query.where(column as 'name', 'in', values as string[])
  for (const { column, op, value } of q.compared) query = query.where(column, op, value as never)
  for (const tag of q.tags) query = query.where('id', 'in', tx.db.selectFrom('imageTags').select('imageId').where('tag', '=', tag))
  for (const [name, value] of q.properties) {
    query = query.where('id', 'in', tx.db.selectFrom('imageProperties').select('imageId').where('name', '=', name).where('value', '=', value))
  }
  return complete(tx, await page(query, { ...q.page, empty }).execute())
}
