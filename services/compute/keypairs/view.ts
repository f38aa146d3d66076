// https://docs.openstack.org/api-ref/compute/#keypairs-keypairs
import { microsNoZone } from '#base/time.ts'
import type { Version } from '#kit/http/operation.ts'
import type { KeypairRow } from '../schema.ts'

export const keypairBrief = (version: Version): (row: KeypairRow) => object => {
  const typed = version.since('2.2')
  return (row) => ({ keypair: { name: row.name, public_key: row.publicKey, fingerprint: row.fingerprint, ...(typed && { type: row.type }) } })
}

export const createdView = (row: KeypairRow, version: Version, privateKey: string | undefined): object => ({ keypair: {
  name: row.name, public_key: row.publicKey, fingerprint: row.fingerprint, user_id: row.userId, ...(version.since('2.2') && { type: row.type }), ...(privateKey !== undefined && { private_key: privateKey }),
} })

export const keypairView = (row: KeypairRow, version: Version): object => ({ keypair: {
  id: row.number, name: row.name, public_key: row.publicKey, fingerprint: row.fingerprint, user_id: row.userId, created_at: microsNoZone(row.createdAt), deleted: false, deleted_at: null, updated_at: null,
  ...(version.since('2.2') && { type: row.type }),
} })
