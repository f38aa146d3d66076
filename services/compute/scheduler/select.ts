// Choosing a host: placement says who has room, filters who is fit, weighers who is best; the claim decides.
import { isFault, notFound, unavailable } from '#base/errors.ts'
import type { Context } from '#base/context.ts'
import type { ServiceClient } from '#kit/http/client.ts'
import type { Store } from '#kit/store/store.ts'
import type { SelectReply, SelectRequest } from '../bus.ts'
import type { ComputeTables, FlavorSnapshot } from '../schema.ts'
import { filters, requiredTraits, weigh, type Candidate } from './filters.ts'
import * as hosts from './store.ts'

export interface SchedulerDeps {
  store: Store<ComputeTables>
  placement: ServiceClient
  /** A host that has not reported for so long is down. */
  downAfterMs: number
}

/** What a server takes from its host, in placement's words. */
export const resourcesOf = (flavor: FlavorSnapshot): Record<string, number> => Object.fromEntries(
  Object.entries({ VCPU: flavor.vcpus, MEMORY_MB: flavor.memoryMib, DISK_GB: flavor.diskGib + flavor.ephemeralGib + Math.ceil(flavor.swapMib / 1024) }).filter(([, amount]) => amount > 0))

const noValidHost = (adminDetail: string): Error =>
  notFound('No valid host was found. There are not enough hosts available.', { type: 'NoValidHost', adminDetail })

export async function select(ctx: Context, request: SelectRequest, deps: SchedulerDeps): Promise<SelectReply> {
  let fit: Candidate[]
  try {
    fit = await ctx.span('scheduler.choose', () => choose(ctx, request, deps))
  } catch (error) {
    // Asked a second time: its own claim may be what fills the last host.
    const claimed = isFault(error, 'notFound') ? await claimOf(ctx, request, deps) : undefined
    if (claimed?.reply) return claimed.reply
    throw error
  }
  return ctx.span('scheduler.claim', async () => {
    // Nobody waits any more: a claim made now would only stand in the way of the next attempt.
    if (ctx.deadlineAt !== undefined && Date.now() >= ctx.deadlineAt) throw unavailable('The choice of a host took too long.')
    for (const candidate of fit) {
      // Only a first claim counts: one that comes late, or twice, must not move what a server has already.
      for (let generation: number | null = null; ;) {
        try {
          await deps.placement.call(ctx, 'replaceAllocations', { params: { consumer_uuid: request.serverId }, body: {
            allocations: { [candidate.providerId]: { resources: resourcesOf(request.flavor) } }, project_id: request.projectId, user_id: request.userId, consumer_generation: generation, consumer_type: 'INSTANCE',
          } })
          return { host: candidate.host, node: candidate.host, providerId: candidate.providerId }
        } catch (error) {
          if (!isFault(error, 'conflict')) throw error
          const claimed = error.type === 'placement.concurrent_update' ? await claimOf(ctx, request, deps) : undefined
          if (claimed?.reply) return claimed.reply
          // A claim on a host that was tried and given up came late, after its own undo: it is moved from there.
          if (claimed && claimed.generation !== generation) { generation = claimed.generation; continue }
          // Somebody else took the room since we looked: the next best one.
          break
        }
      }
    }
    throw noValidHost(`all ${fit.length} fit hosts filled up while this one was being placed`)
  }, { admin: { candidates: fit.length } })
}

/** What this server has a claim on: an earlier answer was lost on its way, or an earlier claim came late. No `reply`: on a host that was tried already, or is gone. */
async function claimOf(ctx: Context, { serverId, exclude }: SelectRequest, { store, placement }: SchedulerDeps): Promise<{ generation: number, reply?: SelectReply } | undefined> {
  const { body } = await placement.call<{ allocations: Record<string, object>, consumer_generation: number }>(ctx, 'showAllocations', { params: { consumer_uuid: serverId } })
  const [providerId] = Object.keys(body.allocations)
  if (providerId === undefined) return undefined
  const host = await store.read((tx) => hosts.ofProvider(tx, providerId))
  return { generation: body.consumer_generation, ...(host !== undefined && !exclude.includes(host) && { reply: { host, node: host, providerId } }) }
}

async function choose(ctx: Context, request: SelectRequest, { store, placement, downAfterMs }: SchedulerDeps): Promise<Candidate[]> {
  const resources = resourcesOf(request.flavor)
  const { body } = await placement.call<{ total: number, providers: { id: string, name: string, free: Record<string, number> }[] }>(ctx, 'providersWithRoom', {
    body: { resources, required: requiredTraits(request), limit: 1000 },
  })
  const known = await store.read((tx) => hosts.candidates(tx, body.providers.map((p) => p.name), request.group?.id))
  let left: Candidate[] = body.providers.flatMap((p) => {
    const host = known.get(p.name)
    return host ? [{ ...host, providerId: p.id, free: p.free, up: Date.parse(host.reportedAt) > Date.now() - downAfterMs }] : []
  })
  const story = [`${body.total} known, ${left.length} with room for ${Object.entries(resources).map(([k, v]) => `${v} ${k}`).join(', ')}`]
  for (const filter of filters) {
    const before = left.length
    left = left.filter((c) => filter.passes(c, request))
    if (left.length < before) story.push(`${filter.name} refused ${before - left.length}`)
  }
  // Affinity goes where the group is, wherever that is, if it is anywhere.
  if (request.group?.policy === 'affinity' && left.some((c) => c.groupMembers > 0)) left = left.filter((c) => c.groupMembers > 0)
  else if (request.group?.policy === 'affinity' && await store.read((tx) => hosts.groupIsSomewhere(tx, request.group!.id))) left = []
  if (left.length === 0) throw noValidHost(story.join('; '))
  return left.sort((a, b) => weigh(b, request) - weigh(a, request))
}

