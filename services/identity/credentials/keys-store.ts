// The keys under which credentials' blobs rest: rows sealed by the cloud's own secret, so that neither the database nor the secret alone tells anything.
import { newFernetKey } from '#kit/crypto/fernet.ts'
import { seal, unseal } from '#kit/crypto/seal.ts'
import { insertIfAbsent } from '#kit/store/rows.ts'
import type { Store } from '#kit/store/store.ts'
import type { Vault } from '../deps.ts'
import type { CredentialRow, IdentityTables } from '../schema.ts'

/** Nobody seals under an older key for longer than this after a newer one was made. */
const staleMs = 10_000
/** Then, and when no row needs it, a key is forgotten at the next rotation. */
const unusedMs = 3600_000

/** Seals blobs and opens them again; a blob that was moved to another row does not open. */
export interface BlobSealer {
  /** What a row keeps of a blob. */
  seal(id: string, blob: string): Promise<Pick<CredentialRow, 'keyNumber' | 'sealed'>>
  open(row: Pick<CredentialRow, 'id' | 'keyNumber' | 'sealed'>): Promise<string>
}

const ownerOf = (number: number): string => `credential key ${number}`
const newRow = (vault: Vault, number: number, nowMs: number) =>
  ({ number, secret: vault.seal(ownerOf(number), newFernetKey().toString('base64')), createdAt: new Date(nowMs).toISOString() })

/** Nothing is read or made before the first credential is. */
export function blobSealer(store: Store<IdentityTables>, vault: Vault, clock: () => number): BlobSealer {
  let keys = new Map<number, Buffer>(), newest = 0, readAt = -Infinity
  async function read(): Promise<void> {
    const at = clock(), rows = await store.read((tx) => tx.db.selectFrom('identityCredentialKeys').selectAll().execute())
    keys = new Map(rows.map((row) => [Number(row.number), Buffer.from(vault.open(ownerOf(Number(row.number)), row.secret) as string, 'base64')]))
    newest = Math.max(0, ...keys.keys())
    readAt = at
  }
  return {
    async seal(id, blob) {
      if (Math.abs(clock() - readAt) >= staleMs || newest === 0) await read()
      if (newest === 0) {
        await store.tx((tx) => insertIfAbsent(tx, 'identityCredentialKeys', newRow(vault, 1, clock())), { durable: true })
        await read()
      }
      return { keyNumber: newest, sealed: seal(keys.get(newest)!, id, blob) }
    },
    async open({ id, keyNumber, sealed }) {
      // Another control plane may have made a newer one.
      if (!keys.has(keyNumber)) await read()
      return unseal(keys.get(keyNumber)!, id, sealed) as string
    },
  }
}

/** The newest key's number, and how many blobs and keys the rotation met. */
export interface Resealed { number: number, resealed: number, forgotten: number }

/** Adds a key, seals every blob anew under it, and forgets the keys nobody needs any more. May be cut off and run again. */
export async function rotateCredentialKeys(store: Store<IdentityTables>, vault: Vault, nowMs: number = Date.now()): Promise<Resealed> {
  const known = await store.read((tx) => tx.db.selectFrom('identityCredentialKeys').selectAll().orderBy('number', 'desc').execute())
  const number = Number(known[0]?.number ?? 0) + 1
  await store.tx((tx) => insertIfAbsent(tx, 'identityCredentialKeys', newRow(vault, number, nowMs)), { durable: true })
  const sealer = blobSealer(store, vault, () => nowMs)
  let resealed = 0
  for (let after = ''; ;) {
    const rows = await store.read((tx) => tx.db.selectFrom('identityCredentials').select(['id', 'keyNumber', 'sealed'])
      .where('keyNumber', '<', number).where('id', '>', after).orderBy('id').limit(100).execute())
    if (rows.length === 0) break
    after = rows.at(-1)!.id
    const fresh = await Promise.all(rows.map(async (row) => ({ row, next: await sealer.seal(row.id, await sealer.open({ ...row, keyNumber: Number(row.keyNumber) })) })))
    await store.tx(async (tx) => {
      // Who was changed meanwhile was sealed by somebody else.
      for (const { row, next } of fresh) await tx.db.updateTable('identityCredentials').set(next).where('id', '=', row.id).where('sealed', '=', row.sealed).execute()
    }, { durable: true })
    resealed += rows.length
  }
  // Superseded long enough ago that no control plane seals under them still.
  const old = known.filter((_key, i) => i > 0 && Date.parse(known[i - 1]!.createdAt) + unusedMs < nowMs).map((key) => Number(key.number))
  const forgotten = old.length === 0 ? 0 : await store.tx(async (tx) => Number((await tx.db.deleteFrom('identityCredentialKeys').where('number', 'in', old)
    .where('number', 'not in', tx.db.selectFrom('identityCredentials').select('keyNumber')).executeTakeFirst()).numDeletedRows), { durable: true })
  return { number, resealed, forgotten }
}
