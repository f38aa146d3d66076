// The bus' tables: casts waiting to go out, who is working on which address, and casts given up on.
import type { Migration } from '#kit/store/migrations.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import { change, insert, insertIfAbsent } from '#kit/store/rows.ts'
import { notFound } from '#base/errors.ts'
import { now } from '#base/time.ts'
import type { Envelope } from './envelope.ts'

export interface OutboxRow {
  id: string
  address: string
  /** How often its handler has thrown. */
  attempts: number
  /** How often it was taken before, by processes that then died or stopped. */
  takes: number
  envelope: Envelope
}

/** A cast nobody could handle, kept for operators. */
export interface DeadLetter { id: string, address: string, attempts: number, error: string, diedAt: string, envelope: Envelope }

let lastAt = 0, lastSerial = 0
/** Sorts by time of minting; strictly within a process, within the clocks' difference between hosts. */
function sortableId(): string {
  const at = Date.now()
  if (at > lastAt) { lastAt = at; lastSerial = 0 } else lastSerial++
  return `${lastAt.toString(36).padStart(9, '0')}-${lastSerial.toString(36).padStart(6, '0')}`
}

export async function putInOutbox(tx: Tx, address: string, envelope: Envelope): Promise<void> {
  await insert(tx, 'kitOutbox', { id: `${sortableId()}-${envelope.id}`, address, envelope: JSON.stringify(envelope), attempts: 0, takes: 0, createdAt: now() })
}

export interface Turn { owner: string, leaseMs: number, finished: string[], busy: string[], room: number, counting: boolean }

/**
 * One turn of the pump on an address: strikes out what is finished, renews the claim and takes the next rows. 'held': another process has it.
 * Gives the claim back when nothing is left. With `counting` it is noted on a row that it was taken, so that one that kills the process is noticed.
 */
export const takeTurn = (store: Store, address: string, t: Turn): Promise<OutboxRow[] | 'held' | 'nothing'> => store.tx(async (tx) => {
  if (t.finished.length > 0) await tx.db.deleteFrom('kitOutbox').where('id', 'in', t.finished).execute()
  const until = Date.now() + t.leaseMs
  const mine = await tx.db.updateTable('kitOutboxClaims').set({ owner: t.owner, until }).where('address', '=', address)
    .where((or) => or.or([or('owner', '=', t.owner), or('until', '<', Date.now())])).executeTakeFirst()
  if (Number(mine.numUpdatedRows) === 0 && !await insertIfAbsent(tx, 'kitOutboxClaims', { address, owner: t.owner, until })) {
    const waiting = await tx.db.selectFrom('kitOutbox').select('id').where('address', '=', address).limit(1).execute()
    return waiting.length > 0 ? 'held' : 'nothing'
  }
  let next = tx.db.selectFrom('kitOutbox').select(['id', 'attempts', 'takes', 'envelope']).where('address', '=', address).orderBy('id').limit(t.room)
  if (t.busy.length > 0) next = next.where('id', 'not in', t.busy)
  const rows = (t.room > 0 ? await next.execute() : []).map((r) => ({ id: String(r.id), address, attempts: Number(r.attempts), takes: Number(r.takes), envelope: JSON.parse(String(r.envelope)) as Envelope }))
  if (rows.length > 0) {
    if (t.counting) await tx.db.updateTable('kitOutbox').set((e) => ({ takes: e('takes', '+', 1) })).where('id', 'in', rows.map((r) => r.id)).execute()
  } else if (t.busy.length === 0) {
    await tx.db.deleteFrom('kitOutboxClaims').where('address', '=', address).where('owner', '=', t.owner).execute()
    return 'nothing'
  }
  return rows
})

/** Says that the holder lives. */
export const renewClaim = (store: Store, address: string, owner: string, leaseMs: number): Promise<number> =>
  store.tx((tx) => change(tx, 'kitOutboxClaims', { address, owner }, { until: Date.now() + leaseMs }))

/** Strikes out what is finished and gives the claim back, for whoever comes next. */
export const giveBack = (store: Store, address: string, owner: string, finished: string[]): Promise<void> => store.tx(async (tx) => {
  if (finished.length > 0) await tx.db.deleteFrom('kitOutbox').where('id', 'in', finished).execute()
  await tx.db.deleteFrom('kitOutboxClaims').where('address', '=', address).where('owner', '=', owner).execute()
})

/** Drops the claims an earlier life of this process held. */
export const dropClaims = (store: Store, owner: string): Promise<void> =>
  store.tx(async (tx) => { await tx.db.deleteFrom('kitOutboxClaims').where('owner', '=', owner).execute() })

export const waitingAddresses = (store: Store): Promise<string[]> =>
  store.read(async (tx) => (await tx.db.selectFrom('kitOutbox').select('address').distinct().execute()).map((r) => String(r.address)))

/** Counts a failed attempt on disk. */
export const countAttempt = (store: Store, id: string, attempts: number): Promise<number> =>
  store.tx((tx) => change(tx, 'kitOutbox', { id }, { attempts }))

/** Keeps a dead letter; the same one twice is one. */
export async function bury(tx: Tx, letter: Omit<DeadLetter, 'diedAt' | 'id'>): Promise<void> {
  await insertIfAbsent(tx, 'kitDeadLetters', {
    id: letter.envelope.id, address: letter.address, attempts: letter.attempts, error: letter.error, diedAt: now(), envelope: JSON.stringify(letter.envelope),
  })
}

/** How many casts wait to go out, and how many were given up on. */
export async function countKept(tx: Tx): Promise<{ outbox: number, deadLetters: number }> {
  const count = async (table: string): Promise<number> => Number((await tx.db.selectFrom(table).select(({ fn }) => fn.countAll().as('n')).executeTakeFirstOrThrow()).n)
  return { outbox: await count('kitOutbox'), deadLetters: await count('kitDeadLetters') }
}

/** For operators: the casts given up on, newest first. */
export async function listDeadLetters(tx: Tx, limit = 100): Promise<DeadLetter[]> {
  const rows = await tx.db.selectFrom('kitDeadLetters').selectAll().orderBy('diedAt', 'desc').orderBy('id').limit(limit).execute()
  return rows.map((r) => ({ ...r, attempts: Number(r.attempts), envelope: JSON.parse(String(r.envelope)) }) as DeadLetter)
}

/** Sends a dead letter out once more, behind what waits for its address. */
export async function redeliver(tx: Tx, id: string): Promise<void> {
  const row = await tx.db.selectFrom('kitDeadLetters').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw notFound(`No dead letter ${id}`)
  await discardDeadLetter(tx, id)
  await putInOutbox(tx, String(row.address), JSON.parse(String(row.envelope)) as Envelope)
}

export async function discardDeadLetter(tx: Tx, id: string): Promise<void> {
  await tx.db.deleteFrom('kitDeadLetters').where('id', '=', id).execute()
}

export const busMigrations: Migration[] = [{
  id: '0001-outbox',
  changes: [
    { createTable: 'kitOutbox', as: { columns: { id: 'id', address: 'text', envelope: 'long', attempts: 'int', takes: 'int', createdAt: 'at' }, primaryKey: ['id'], indexes: [['address', 'id']] } },
    { createTable: 'kitOutboxClaims', as: { columns: { address: 'text', owner: 'text', until: 'int' }, primaryKey: ['address'] } },
    {
      createTable: 'kitDeadLetters', as: {
        columns: { id: 'id', address: 'text', envelope: 'long', attempts: 'int', error: 'long', diedAt: 'at' }, primaryKey: ['id'], indexes: [['diedAt']],
      },
    },
  ],
}]
