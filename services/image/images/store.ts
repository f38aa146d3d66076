// Rows of images with their properties and tags.
import { sql } from 'kysely'
import { conflict } from '#base/errors.ts'
import { now } from '#base/time.ts'
import { change, insert } from '#kit/store/rows.ts'
import type { ImageTx } from '../deps.ts'
import type { ImageRow } from '../schema.ts'

export interface Image extends ImageRow { properties: Record<string, string>, tags: string[] }

async function complete(tx: ImageTx, rows: ImageRow[]): Promise<Image[]> {
  if (rows.length === 0) return []
  const ids = rows.map((r) => r.id)
  const properties = Map.groupBy(await tx.db.selectFrom('imageProperties').selectAll().where('imageId', 'in', ids).execute(), (p) => p.imageId)
  const tags = Map.groupBy(await tx.db.selectFrom('imageTags').selectAll().where('imageId', 'in', ids).orderBy('tag').execute(), (t) => t.imageId)
  return rows.map((row) => ({ ...row, properties: Object.fromEntries((properties.get(row.id) ?? []).map((p) => [p.name, p.value])), tags: (tags.get(row.id) ?? []).map((t) => t.tag) }))
}

export async function find(tx: ImageTx, id: string): Promise<Image | undefined> {
  const row = await tx.db.selectFrom('imageImages').selectAll().where('id', '=', id).executeTakeFirst()
  return row && (await complete(tx, [row]))[0]
}

/** What filters may compare; the wire's names are mapped by the caller. */
export interface ImageQuery {
  /** Undefined: an administrator, who sees all. */
  projectId?: string
  equal: Partial<Record<'id' | 'name' | 'status' | 'ownerId' | 'diskFormat' | 'containerFormat' | 'checksum' | 'osHashValue', string[]>>
  visibility?: string
  memberStatus: string
  hidden: boolean
  protected?: boolean
  sizeMin?: number
  sizeMax?: number
  tags: string[]
  properties: [string, string][]
  instants: { column: 'createdAt' | 'updatedAt', op: '=' | '!=' | '>' | '>=' | '<' | '<=', at: string }[]
  sort: { column: keyof ImageRow, direction: 'asc' | 'desc' }[]
  marker?: ImageRow
  limit: number
}

export async function list(tx: ImageTx, q: ImageQuery): Promise<Image[]> {
  let query = tx.db.selectFrom('imageImages').selectAll().where('hidden', '=', q.hidden ? 1 : 0)
  const shared = (projectId: string) => tx.db.selectFrom('imageMembers').select('imageId').where('memberId', '=', projectId).$if(q.memberStatus !== 'all', (b) => b.where('status', '=', q.memberStatus as never))
  if (q.projectId !== undefined) {
    const projectId = q.projectId
    query = query.where((eb) => eb.or([
      eb('ownerId', '=', projectId),
      // Community images are found by those who ask for them only.
      eb('visibility', '=', 'public'), ...(q.visibility === 'community' ? [eb('visibility', '=', 'community')] : []),
      eb.and([eb('visibility', '=', 'shared'), eb('id', 'in', shared(projectId))]),
    ]))
  }
  if (q.visibility !== undefined && q.visibility !== 'all') query = query.where('visibility', '=', q.visibility as never)
  for (const [column, values] of Object.entries(q.equal)) query = query.where(column as 'name', 'in', values)
  if (q.protected !== undefined) query = query.where('protected', '=', q.protected ? 1 : 0)
  if (q.sizeMin !== undefined) query = query.where('size', '>=', q.sizeMin)
  if (q.sizeMax !== undefined) query = query.where('size', '<=', q.sizeMax)
  for (const { column, op, at } of q.instants) query = query.where(column, op, at)
  for (const tag of q.tags) query = query.where('id', 'in', tx.db.selectFrom('imageTags').select('imageId').where('tag', '=', tag))
  for (const [name, value] of q.properties) query = query.where('id', 'in', tx.db.selectFrom('imageProperties').select('imageId').where('name', '=', name).where('value', '=', value))
  if (q.marker) query = query.where(afterMarker(q.sort, q.marker))
  for (const { column, direction } of q.sort) query = query.orderBy(sql`COALESCE(${sql.ref(column)}, ${emptyOf(column)})`, direction)
  return complete(tx, await query.limit(q.limit).execute())
}

/** Absent values sort as empty ones, on every engine alike. */
const emptyOf = (column: keyof ImageRow): string | number => (['minDiskGib', 'minRamMib', 'size', 'virtualSize', 'protected', 'hidden'].includes(column) ? 0 : '')

/** Rows behind the marker in the asked order: (a, b, id) compared from the left. */
function afterMarker(sort: ImageQuery['sort'], marker: ImageRow) {
  const value = (column: keyof ImageRow) => sql`COALESCE(${sql.ref(column)}, ${emptyOf(column)})`
  const parts = sort.map(({ column, direction }, i) => {
    const same = sort.slice(0, i).map((s) => sql`${value(s.column)} = ${marker[s.column] ?? emptyOf(s.column)}`)
    return sql`(${sql.join([...same, sql`${value(column)} ${sql.raw(direction === 'asc' ? '>' : '<')} ${marker[column] ?? emptyOf(column)}`], sql` AND `)})`
  })
  return sql<boolean>`(${sql.join(parts, sql` OR `)})`
}

export async function add(tx: ImageTx, image: Image): Promise<void> {
  const { properties, tags, ...row } = image
  await insert(tx, 'imageImages', { ...row }, () => conflict(`Image ID ${row.id} already exists!`))
  await writeProperties(tx, image)
  if (tags.length > 0) await insert(tx, 'imageTags', tags.map((tag) => ({ imageId: row.id, tag })))
}

async function writeProperties(tx: ImageTx, { id, properties }: Pick<Image, 'id' | 'properties'>): Promise<void> {
  await tx.db.deleteFrom('imageProperties').where('imageId', '=', id).execute()
  const rows = Object.entries(properties).map(([name, value]) => ({ imageId: id, name, value }))
  if (rows.length > 0) await insert(tx, 'imageProperties', rows)
}

/** Writes an edited image back; the parts that uploads and deletes change are not touched. */
export async function save(tx: ImageTx, image: Image): Promise<void> {
  const { id, name, visibility, ownerId, diskFormat, containerFormat, minDiskGib, minRamMib, tags } = image
  await change(tx, 'imageImages', { id }, { name, visibility, ownerId, protected: image.protected, hidden: image.hidden, diskFormat, containerFormat, minDiskGib, minRamMib, updatedAt: now() })
  await writeProperties(tx, image)
  await tx.db.deleteFrom('imageTags').where('imageId', '=', id).execute()
  if (tags.length > 0) await insert(tx, 'imageTags', tags.map((tag) => ({ imageId: id, tag })))
}

/** Compare-and-set on the status; false when the image was not in it. */
export const move = async (tx: ImageTx, id: string, from: Partial<ImageRow>, set: Partial<ImageRow>): Promise<boolean> =>
  await change(tx, 'imageImages', { id, ...from }, { ...set, updatedAt: now() }) > 0

export async function remove(tx: ImageTx, id: string): Promise<void> {
  for (const table of ['imageProperties', 'imageTags', 'imageMembers'] as const) await tx.db.deleteFrom(table).where('imageId', '=', id).execute()
  await tx.db.deleteFrom('imageImages').where('id', '=', id).execute()
}

export const countOf = async (tx: ImageTx, ownerId: string): Promise<number> =>
  Number((await tx.db.selectFrom('imageImages').select(({ fn }) => fn.countAll().as('n')).where('ownerId', '=', ownerId).executeTakeFirstOrThrow()).n)

export const isReferred = async (tx: ImageTx, location: string): Promise<boolean> =>
  await tx.db.selectFrom('imageImages').select('id').where('location', '=', location).limit(1).executeTakeFirst() !== undefined

/** Uploads that a dead process left half-way: queued again. */
export const requeueUploads = async (tx: ImageTx): Promise<void> => { await change(tx, 'imageImages', { status: 'saving' }, { status: 'queued', uploadId: null, size: null }) }

export const addTag = async (tx: ImageTx, imageId: string, tag: string): Promise<void> => {
  await tx.db.deleteFrom('imageTags').where('imageId', '=', imageId).where('tag', '=', tag).execute()
  await insert(tx, 'imageTags', { imageId, tag })
}
export const removeTag = async (tx: ImageTx, imageId: string, tag: string): Promise<boolean> =>
  Number((await tx.db.deleteFrom('imageTags').where('imageId', '=', imageId).where('tag', '=', tag).executeTakeFirst()).numDeletedRows) > 0

export const isMember = async (tx: ImageTx, imageId: string, memberId: string): Promise<boolean> =>
  await tx.db.selectFrom('imageMembers').select('imageId').where('imageId', '=', imageId).where('memberId', '=', memberId).executeTakeFirst() !== undefined
