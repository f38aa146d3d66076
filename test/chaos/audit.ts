// What must hold of a cloud that has come to rest, whatever happened before: every table, every host and every counter tells the same story.
// Reads the database and the fake drivers themselves: an API might be polite.
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { Store } from '#kit/store/store.ts'
import { waitFor } from '#base/retry.ts'
import type { Context } from '#base/context.ts'
import type { Host } from '#bin/hosts.ts'
import type { FakeNetworkDriver } from '#drivers/network/fake/driver.ts'
import type { FlavorSnapshot } from '#services/compute/schema.ts'
import { resourcesOf } from '#services/compute/scheduler/select.ts'

export interface Audited { store: Store, hosts: { list: Host[] }, context(actor: Context['actor']): Context }

type Rows = Record<string, any>[]
type Tuple17 = [Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows, Rows]
/** What is history only would make the thousandth look slower than the first. */
const history: Record<string, (eb: ExpressionBuilder<any, any>) => Expression<SqlBool>> = {
  computeServers: (eb) => eb('deletedAt', 'is', null),
  computeServerFaults: (eb) => eb('serverId', 'in', eb.selectFrom('computeServers').select('id').where('deletedAt', 'is', null)),
  kitSagas: (eb) => eb.or([eb('state', 'not in', ['done', 'failed']), eb('sealed', 'is not', null)]),
  agentGuests: (eb) => eb('removed', '=', 0),
}
const rowsOf = (store: Store, table: string): Promise<Rows> => store.read((tx) => {
  const query = tx.db.selectFrom(table).selectAll(), only = history[table]
  return (only ? query.where(only) : query).execute()
})

/** Settles when no cast is under way any more; those to hosts in `away` may wait. */
export async function quiet({ store }: Pick<Audited, 'store'>, away: string[] = []): Promise<void> {
  await waitFor('the outbox to be empty', async () => {
    const rows = await store.read((tx) => tx.db.selectFrom('kitOutbox').select('address').execute()) as { address: string }[]
    return rows.every((r) => away.some((host) => r.address.endsWith(host))) ? true : undefined
  }, 20_000, 1)
}

/** What is still wrong after a while, a sentence each. No saga may be under way. Agents look at what guests share (leases, groups) a few times a second and not before a message is done. */
export async function audit(cloud: Audited, away: string[] = []): Promise<string[]> {
  let wrong: string[] = []
  await waitFor('nothing to be wrong', async () => { wrong = await lookThrough(cloud, away); return wrong.length === 0 ? true : undefined }, 5_000, 50).catch((error: unknown) => { if (wrong.length === 0) throw error })
  return wrong
}

/** Everything that is wrong at this moment. `away`: hosts whose agents do not run just now. */
async function lookThrough(cloud: Audited, away: string[]): Promise<string[]> {
  const { store } = cloud, wrong: string[] = []
  const complain = (when: unknown, what: string): void => { if (when) wrong.push(what) }
  const [servers, nics, instances, faults, sagas, outbox, dead, allocations, consumers, providers, inventories, ports, addresses, groups, reports, ledger, counters] = await Promise.all([
    'computeServers', 'computeServerNics', 'computeInstances', 'computeServerFaults', 'kitSagas', 'kitOutbox', 'kitDeadLetters', 'placementAllocations', 'placementConsumers', 'placementProviders',
    'placementInventories', 'networkPorts', 'networkAddresses', 'networkPortGroups', 'networkReports', 'agentGuests', 'kitCounters',
  ].map((table) => rowsOf(store, table))) as Tuple17
  const byId = new Map(servers.map((s) => [s.id, s]))
  const portById = new Map(ports.map((p) => [p.id as string, p])), providerOf = new Map(providers.map((p) => [p.name as string, p.id as string]))
  const nicsOf = Map.groupBy(nics, (n) => n.serverId)

  const hosts = await Promise.all(cloud.hosts.list.map(async ({ name, hypervisor, network }) => {
    const guests = new Map((await hypervisor.list(cloud.context({ userId: '', roles: [] }))).map((seen) => [seen.id, seen.power]))
    return { name, guests, standing: (network as FakeNetworkDriver).standing }
  }))
  const hostOf = new Map(hosts.map((h) => [h.name, h]))

  // Each server, and all that belongs to it.
  for (const s of servers) {
    const who = `server ${s.id} (${s.vmState})`, own = nicsOf.get(s.id) ?? [], fault = faults.find((f) => f.serverId === s.id)
    const used = Object.fromEntries(allocations.filter((a) => a.consumerId === s.id).map((a) => [`${a.providerId} ${a.resourceClass}`, a.used]))
    complain(s.vmState === 'building', `${who} is still being built`)
    complain(s.taskState !== null, `${who} has the task ${s.taskState}`)
    if (s.host === null) {
      complain(s.vmState !== 'error', `${who} is on no host`)
      complain(s.vmState === 'error' && !fault, `${who} has no fault`)
      complain(Object.keys(used).length > 0, `${who} failed and has allocations`)
      for (const nic of own) {
        const port = portById.get(nic.portId)
        if (nic.userOwned === 0) complain(port, `${who} failed and has its port ${nic.portId}`)
        else complain(!port || port.host !== '' || port.deviceId !== '' || port.deviceOwner !== '', `${who}: the user's port is ${port ? `bound to "${port.host}" for "${port.deviceId}" (${port.deviceOwner})` : 'gone'}`)
      }
      complain(instances.some((i) => i.serverId === s.id), `${who} failed and is remembered as a guest`)
      continue
    }
    const wanted = Object.fromEntries(Object.entries(resourcesOf(JSON.parse(s.flavor) as FlavorSnapshot)).map(([k, v]) => [`${providerOf.get(s.host!)} ${k}`, v]))
    complain(!same(used, wanted), `${who} on ${s.host} uses ${JSON.stringify(used)}`)
    const host = hostOf.get(s.host)
    if (!host) { complain(!away.includes(s.host), `${who} is on an unknown host ${s.host}`); continue }
    const power = host.guests.get(s.id), seen = instances.find((i) => i.serverId === s.id)
    complain(!power, `${who} has no guest on ${s.host}`)
    complain(power && seen?.power !== power, `${who} is remembered as ${seen?.power} and is ${power}`)
    complain(seen && seen.host !== s.host, `${who} was seen on ${seen?.host}`)
    for (const nic of own) {
      const port = portById.get(nic.portId)
      complain(!port || port.host !== s.host || port.deviceId !== s.id, `${who}: its port ${nic.portId} is ${port ? `on "${port.host}" for "${port.deviceId}"` : 'gone'}`)
      complain(!addresses.some((a) => a.portId === nic.portId), `${who}: its port ${nic.portId} has no address`)
      complain(!host.standing.ports.has(nic.portId), `${who}: its port ${nic.portId} is not wired`)
      complain(![...hosts].some((h) => h.standing.networks.get(nic.networkId)?.leases.some((l) => l.portId === nic.portId)), `${who}: its port ${nic.portId} has no lease`)
    }
  }

  // What belongs to nobody.
  const at = (id: string, host: string): boolean => byId.get(id)?.host === host
  for (const { name, guests, standing } of hosts) {
    for (const id of guests.keys()) complain(!at(id, name), `a guest ${id} on ${name} belongs to no server there`)
    for (const id of standing.ports.keys()) complain(portById.get(id)?.host !== name, `port ${id} is wired on ${name} and not bound there`)
    for (const network of standing.networks.values()) for (const lease of network.leases) complain((portById.get(lease.portId)?.host ?? '') === '', `network ${network.id} on ${name} has a lease for port ${lease.portId}, which is bound nowhere`)
  }
  for (const row of ledger) complain(!at(row.serverId, row.host) && !away.includes(row.host), `the ledger of ${row.host} has ${row.serverId}, which is not there`)
  for (const row of instances) complain(!at(row.serverId, row.host), `${row.serverId} is remembered as a guest of ${row.host}`)
  for (const nic of nics) complain(!byId.has(nic.serverId), `a card of the deleted server ${nic.serverId} is left`)
  for (const port of ports) {
    if (!String(port.deviceOwner).startsWith('compute:')) continue
    complain(!nics.some((n) => n.portId === port.id && n.serverId === port.deviceId) || byId.get(port.deviceId)?.host === null, `port ${port.id} is for ${port.deviceId}, which has no such card`)
  }
  for (const row of [...addresses, ...groups]) complain(!portById.has(row.portId), `something of port ${row.portId} is left`)
  for (const row of reports) complain(row.kind === 'port' && !portById.has(row.resourceId), `word of port ${row.resourceId} is left`)
  for (const row of allocations) complain(!byId.get(row.consumerId)?.host, `${row.consumerId} uses ${row.used} ${row.resourceClass} and is on no host`)
  for (const row of consumers) complain(!allocations.some((a) => a.consumerId === row.id), `consumer ${row.id} uses nothing`)
  for (const row of inventories) {
    const sum = allocations.filter((a) => a.providerId === row.providerId && a.resourceClass === row.resourceClass).reduce((n, a) => n + Number(a.used), 0)
    complain(sum !== Number(row.used), `${row.used} ${row.resourceClass} of ${row.providerId} are said to be used, ${sum} are`)
  }

  // Sums, and what is under way.
  const sums = new Map<string, number>()
  const add = (name: string, by: number): void => { sums.set(name, (sums.get(name) ?? 0) + by) }
  for (const s of servers) {
    for (const who of [`${s.projectId}/`, `${s.projectId}/${s.userId}/`]) for (const [resource, size] of [['instances', 1], ['cores', s.vcpus], ['ram', s.memoryMib]] as const) add(`compute.used.${who}${resource}`, Number(size))
  }
  for (const port of ports) if (port.projectId !== '') add(`network/${port.projectId}/port`, 1)
  for (const { name, value } of counters) {
    if (/^compute\.used\..*\/(instances|cores|ram)$|^network\/.*\/port$/.test(name)) complain(Number(value) !== (sums.get(name) ?? 0), `${name} is ${value}, and ${sums.get(name) ?? 0} would be right`)
  }
  for (const [name, sum] of sums) complain(!counters.some((c) => c.name === name) && sum > 0, `${name} is counted nowhere`)
  for (const saga of sagas) {
    complain(saga.sealed === null || !['done', 'failed'].includes(saga.state), `saga ${saga.name} of ${saga.resourceId} is ${saga.state} (${saga.trouble})`)
    complain(['done', 'failed'].includes(saga.state) && saga.sealed !== null, `saga ${saga.name} of ${saga.resourceId} ended with its secrets`)
  }
  for (const row of outbox) complain(!away.some((host) => String(row.address).endsWith(host)), `a cast to ${row.address} waits: ${String(row.envelope).slice(0, 200)}`)
  for (const row of dead) complain(true, `a cast to ${row.address} died: ${row.error}`)
  return wrong
}

const same = (a: Record<string, unknown>, b: Record<string, unknown>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([k, v]) => Number(b[k]) === Number(v))
