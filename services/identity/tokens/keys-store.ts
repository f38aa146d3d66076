// The keys of tokens and service credentials: rows, so that every control plane of a cloud has the same. The newest seals, all open.
import { newFernetKey, type FernetKey, type Keyring } from '#kit/crypto/fernet.ts'
import { insertIfAbsent } from '#kit/store/rows.ts'
import type { Store } from '#kit/store/store.ts'
import { now } from '#base/time.ts'
import type { IdentityTables } from '../schema.ts'

/** Rubbish that looks like a token must not cost a query each. */
const refreshEveryMs = 1000

const load = async (store: Store<IdentityTables>): Promise<FernetKey[]> =>
  (await store.read((tx) => tx.db.selectFrom('identityKeys').selectAll().orderBy('number', 'desc').execute())).map((row) => Buffer.from(row.secret, 'base64url'))

const row = (number: number) => ({ number, secret: newFernetKey().toString('base64url'), createdAt: now() })

/** The cloud's keys; two processes that start at once on an empty table agree on the first. */
export async function openKeyring(store: Store<IdentityTables>, clock: () => number = Date.now): Promise<Keyring> {
  await store.tx(async (tx) => {
    const any = await tx.db.selectFrom('identityKeys').select('number').limit(1).executeTakeFirst()
    if (!any) await insertIfAbsent(tx, 'identityKeys', row(1))
  }, { durable: true })
  let keys = await load(store), readAt = clock()
  return {
    get keys() { return keys },
    async refresh() {
      if (clock() - readAt < refreshEveryMs) return false
      readAt = clock()
      const newest = keys[0]!
      keys = await load(store)
      return !keys[0]!.equals(newest)
    },
  }
}

/** Adds a key that seals from now on and forgets all but the newest `keep`. Tokens sealed under what is forgotten end. */
export async function rotateKeys(store: Store<IdentityTables>, keep = 3): Promise<void> {
  await store.tx(async (tx) => {
    const numbers = (await tx.db.selectFrom('identityKeys').select('number').orderBy('number', 'desc').execute()).map((r) => Number(r.number))
    await insertIfAbsent(tx, 'identityKeys', row((numbers[0] ?? 0) + 1))
    const last = numbers[keep - 2]
    if (last !== undefined) await tx.db.deleteFrom('identityKeys').where('number', '<', last).execute()
  }, { durable: true })
}
