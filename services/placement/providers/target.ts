// How a provider in a path is found.
import type { TargetSpec } from '#kit/http/operation.ts'
import type { Deps } from '../deps.ts'
import * as policy from '../policy.ts'
import type { ProviderRow } from '../schema.ts'
import { absent, find } from './store.ts'

/** `{uuid}` in any spelling; whoever may use placement sees every provider. */
export const target: TargetSpec<Deps, ProviderRow> = {
  load: (_ctx, params, { store }) => store.read((tx) => find(tx, params.uuid!.toLowerCase())),
  sees: policy.adminOrService,
  owner: () => ({}),
  beforeBody: true,
  missing: (params) => absent(params.uuid!),
}
