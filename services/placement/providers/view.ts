import type { Version } from '#kit/http/operation.ts'
import type { ProviderRow } from '../schema.ts'

const rels: [since: string, rel: string][] = [['1.0', 'inventories'], ['1.0', 'usages'], ['1.1', 'aggregates'], ['1.6', 'traits'], ['1.11', 'allocations']]

/** https://docs.openstack.org/api-ref/placement/#show-resource-provider; chosen once for many rows. */
export const providerView = (version: Version): ((row: ProviderRow) => object) => {
  const shown = rels.filter(([since]) => version.since(since)).map(([, rel]) => rel), nested = version.since('1.14')
  return (row) => {
    const self = `/placement/resource_providers/${row.id}`
    return {
      uuid: row.id, name: row.name, generation: row.generation, ...(nested && { parent_provider_uuid: row.parentId, root_provider_uuid: row.rootId }),
      links: [{ rel: 'self', href: self }, ...shown.map((rel) => ({ rel, href: `${self}/${rel}` }))],
    }
  }
}
