// Changes made only while a thing is as its caller saw it: `If-Match: revision_number=4`. Whoever reads, thinks and writes so loses no other's change.
// https://docs.openstack.org/api-ref/network/v2/#revisions
import type { NetworkTx } from '../deps.ts'
import { badResource, revisionChanged } from '../faults.ts'
import type { NetworkTables, Standard } from '../schema.ts'
import { touch } from './store.ts'

type Headers = Record<string, string | string[] | undefined>
const named = 'revision_number='

/** The revision that is asked for. Weak tags and those of another kind say nothing about revisions; without quotes the whole is one tag. */
export function revisionAsked(headers: Headers): number | undefined {
  const text = [headers['if-match'] ?? []].flat().join(', ').trim(), quoted = [...text.matchAll(/(?<weak>W\/)?"(?<tag>[^"]*)"/g)]
  const tags = (quoted.length === 0 ? [text] : quoted.filter(({ groups }) => !groups!.weak).map(({ groups }) => groups!.tag!)).filter((tag) => tag.startsWith(named))
  if (tags.length > 1) throw badResource('if-match', 'Multiple revision_number etags are not supported')
  const revision = tags[0]?.slice(named.length)
  if (revision !== undefined && !/^\d{1,15}$/.test(revision)) throw badResource('if-match', 'Revision number etag must be in the format of revision_number=<int>')
  return revision === undefined ? undefined : Number(revision)
}

/** 412 unless the row is at that revision. Rows that are changed by `amend` stay so until the transaction ends. */
export function mustBeAt(row: Standard, asked: number | undefined): void {
  if (asked !== undefined && row.revision !== asked) throw revisionChanged(asked, row.revision)
}

/** The same for what goes: nobody changes it in between. */
export async function goesAt<R extends Standard>(tx: NetworkTx, table: keyof NetworkTables, row: R, asked: number | undefined): Promise<void> {
  mustBeAt(row, asked)
  if (asked !== undefined) await touch(tx, table, row)
}
