// A user as what an operation below his path is about.
import type { Rule } from '#kit/policy/rules.ts'
import type { Deps } from '../deps.ts'
import { missing } from '../faults.ts'
import type { UserRow } from '../schema.ts'
import * as users from './store.ts'

/** For what belongs to the user alone: his domain's readers do not see it. */
export const userTarget = (sees: Rule) => ({
  load: (_ctx: unknown, params: Record<string, string>, { store }: Deps) => store.read((tx) => users.find(tx, params.user_id!)),
  sees,
  owner: (row: UserRow) => ({ userId: row.id }),
  missing: (params: Record<string, string>) => missing('user', params.user_id!),
})
