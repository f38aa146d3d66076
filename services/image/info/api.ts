// https://docs.openstack.org/api-ref/image/v2/#image-service-info-discovery
import { adminOrService, authenticated } from '#kit/policy/rules.ts'
import { operation, type Deps } from '../deps.ts'
import type { ImageStore } from '../stores/stores.ts'

export const showImportInfo = operation({
  name: 'showImportInfo', method: 'GET', path: '/info/import', summary: 'How images may be imported.', access: authenticated,
  handle: async (_ctx, _input, { config }) => ({ 'import-methods': { description: 'Import methods available.', type: 'array', value: config.methods } }),
})

const storeView = ({ stores }: Pick<Deps, 'stores'>, { id, description }: ImageStore): object =>
  ({ id, ...(description !== undefined && { description }), ...(id === stores.defaultId && { default: 'true' }) })

export const listStores = operation({
  name: 'listStores', method: 'GET', path: '/info/stores', summary: 'The stores that images may be kept in.', access: authenticated,
  handle: async (_ctx, _input, deps) => ({ stores: deps.stores.list.map((store) => storeView(deps, store)) }),
})

export const listStoreDetails = operation({
  name: 'listStoreDetails', method: 'GET', path: '/info/stores/detail', summary: 'The stores with what only administrators may know of them.', access: adminOrService,
  handle: async (_ctx, _input, deps) => ({
    stores: deps.stores.list.map((store) => ({ ...storeView(deps, store), type: store.type, weight: store.weight, properties: store.properties })),
  }),
})
