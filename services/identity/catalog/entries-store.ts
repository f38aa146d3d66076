// The catalogue as tokens carry it: services with their endpoints, URLs filled in for the caller.
import type { IdentityTx } from '../deps.ts'
import { isFiltered, sightOf } from '../endpoint-filter/store.ts'

/** A service with its endpoints, as it stands in a token. */
export interface CatalogEntry {
  id: string
  type: string
  name: string
  endpoints: { id: string, interface: string, region: string | null, region_id: string | null, url: string }[]
}

/** Fills `%(project_id)s` and `$(project_id)s`; undefined when the caller has no project and the URL wants one. */
export function fillUrl(url: string, userId: string, projectId: string | undefined): string | undefined {
  let whole = true
  const filled = url.replace(/[%$]\((\w+)\)s/g, (_all, name: string) => {
    const value = name === 'project_id' || name === 'tenant_id' ? projectId : name === 'user_id' ? userId : undefined
    if (value === undefined) whole = false
    return value ?? ''
  })
  return whole ? filled : undefined
}

/**
 * One query, and a second where the project's endpoints are filtered: services of which it sees none are left out too. Disabled services and endpoints are left out;
 * a service without endpoints stays.
 */
export async function catalogFor(tx: IdentityTx, userId: string, projectId: string | undefined): Promise<CatalogEntry[]> {
  const rows = await tx.db.selectFrom('identityServices as s')
    .leftJoin('identityEndpoints as e', (j) => j.onRef('e.serviceId', '=', 's.id').on('e.enabled', '=', 1))
    .select(['s.id as serviceId', 's.type', 's.name', 'e.id as endpointId', 'e.interface', 'e.regionId', 'e.url'])
    .$if(projectId !== undefined, (query) => query.select((eb) => isFiltered(eb, projectId!).as('filtered')))
    .where('s.enabled', '=', 1).orderBy('s.type').orderBy('s.id').orderBy('e.id').execute()
  const sight = rows[0]?.filtered ? await sightOf(tx, projectId!) : undefined
  const entries = new Map<string, CatalogEntry>()
  for (const row of rows) {
    if (sight && !(row.endpointId && sight({ id: row.endpointId, serviceId: row.serviceId, regionId: row.regionId, interface: row.interface!, enabled: 1 }))) continue
    let entry = entries.get(row.serviceId)
    if (!entry) entries.set(row.serviceId, entry = { id: row.serviceId, type: row.type, name: row.name ?? '', endpoints: [] })
    const url = row.endpointId ? fillUrl(row.url!, userId, projectId) : undefined
    if (url !== undefined) entry.endpoints.push({ id: row.endpointId!, interface: row.interface!, region: row.regionId, region_id: row.regionId, url })
  }
  return [...entries.values()]
}
