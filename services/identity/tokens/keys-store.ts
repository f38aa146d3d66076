// The keys of tokens and service credentials: rows, so that every control plane of a cloud has the same. All open; which one seals: `openKeyring`.
import { conflict } from '#base/errors.ts'
import { newFernetKey, type FernetKey, type Keyring } from '#kit/crypto/fernet.ts'
import { insertIfAbsent } from '#kit/store/rows.ts'
import type { Store } from '#kit/store/store.ts'
import type { IdentityTables } from '../schema.ts'

/** Rubbish that looks like a token must not cost a query each. */
const refreshEveryMs = 1000
/** A control plane looks for new keys so often ... */
const staleMs = 10_000
/** ... and no key seals before all have seen it. */
const settleMs = 30_000
/** So many must do; opening rubbish tries each of them. */
const most = 64

interface StoredKey { number: number, key: FernetKey, createdAtMs: number }

/** Newest first. */
const load = async (store: Store<IdentityTables>): Promise<StoredKey[]> =>
  (await store.read((tx) => tx.db.selectFrom('identityKeys').selectAll().orderBy('number', 'desc').execute()))
    .map((row) => ({ number: Number(row.number), key: Buffer.from(row.secret, 'base64url'), createdAtMs: Date.parse(row.createdAt) }))

const row = (number: number, nowMs: number) => ({ number, secret: newFernetKey().toString('base64url'), createdAt: new Date(nowMs).toISOString() })

/** The key that seals: the newest that everybody knows by now; the oldest while none is. */
const sealing = (keys: StoredKey[], nowMs: number): StoredKey => keys.find((k) => k.createdAtMs + settleMs <= nowMs) ?? keys.at(-1)!

/** The cloud's keys, the one that seals first; two processes that start at once on an empty table agree on the first. */
export async function openKeyring(store: Store<IdentityTables>, clock: () => number = Date.now): Promise<Keyring> {
  await store.tx(async (tx) => {
    const any = await tx.db.selectFrom('identityKeys').select('number').limit(1).executeTakeFirst()
    if (!any) await insertIfAbsent(tx, 'identityKeys', row(1, clock()))
  }, { durable: true })
  let stored: StoredKey[], readAt: number, keys: FernetKey[], arranged: StoredKey | undefined, reading: Promise<void> | undefined
  const read = (): Promise<void> => reading ??= (async () => {
    const at = clock()
    stored = await load(store)
    readAt = at
    arranged = undefined
  })().finally(() => { reading = undefined })
  await read()
  return {
    get keys() {
      const first = sealing(stored, clock())
      if (arranged !== first) {
        arranged = first
        keys = [first.key, ...stored.filter((k) => k !== first).map((k) => k.key)]
      }
      return keys
    },
    async refresh(demanded = false) {
      if (!demanded && clock() - readAt < refreshEveryMs) return false
      // What began to read before the demand may not have seen what it is about.
      if (demanded) await reading
      const newest = stored[0]!.number
      await read()
      return stored[0]!.number !== newest
    },
    async fresh() {
      if (Math.abs(clock() - readAt) >= staleMs) await read()
    },
  }
}

/** The newest key's number, and how many older ones were kept and forgotten. */
export interface Rotated { number: number, kept: number, forgotten: number }

/**
 * Adds a key that seals as soon as every control plane has seen it, and forgets the keys under which nothing that still lives was sealed: `lifeSeconds` is how long
 * the longest-lived seal is worth something. With `forgetAll` every older key goes at once: all tokens end. Throws a conflict when too many old keys are still needed.
 */
export async function rotateKeys(store: Store<IdentityTables>, options: { lifeSeconds: number, forgetAll?: boolean, nowMs?: number }): Promise<Rotated> {
  const nowMs = options.nowMs ?? Date.now(), stored = await load(store)
  const number = (stored[0]?.number ?? 0) + 1
  // The newest of now seals until the new one has settled; each other one sealed until its successor had.
  const ended = (i: number): boolean => i > 0 && stored[i - 1]!.createdAtMs + settleMs + options.lifeSeconds * 1000 + settleMs < nowMs
  const old = options.forgetAll ? stored : stored.filter((_k, i) => ended(i))
  if (stored.length - old.length >= most) throw conflict(`There are ${stored.length} keys whose tokens may still live. Rotate less often, or forget them and end all tokens.`)
  await store.tx(async (tx) => {
    // Somebody else who rotates at this moment has done it for us.
    await insertIfAbsent(tx, 'identityKeys', row(number, nowMs))
    if (old.length > 0) await tx.db.deleteFrom('identityKeys').where('number', 'in', old.map((k) => k.number)).execute()
  }, { durable: true })
  return { number, kept: stored.length - old.length, forgotten: old.length }
}
