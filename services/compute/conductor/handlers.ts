// The conductor's side of the bus: it answers agents and keeps what they report.
import type { Context } from '#base/context.ts'
import { explain, isFault } from '#base/errors.ts'
import type { Handlers } from '#kit/bus/contract.ts'
import type { HostFacts } from '#drivers/hypervisor/contract.ts'
import { conductorBus, lostReason, type InstanceInfo } from '../bus.ts'
import type { FlavorSnapshot } from '../schema.ts'
import * as actions from '../instance-actions/store.ts'
import { instanceName } from '../servers/instance-name.ts'
import { powerMoves } from '../servers/state.ts'
import { asCompute } from './commands.ts'
import type { ConductorDeps } from './deps.ts'
import * as hosts from './hosts-store.ts'
import * as metadata from './metadata.ts'
import * as servers from './servers-store.ts'

export interface HandlerDeps extends ConductorDeps {
  /** How far a host's processors, memory and disk may be promised beyond what it has. */
  allocationRatios: { vcpu: number, memory: number, disk: number }
  reservedMemoryMib: number
  /** The cloud's directory of metadata sources; see metadata.ts. */
  metadata: metadata.MetadataDeps
}

export function conductorHandlers(deps: HandlerDeps): Handlers<(typeof conductorBus)['members']> {
  const { store, placement, commands, log } = deps

  async function ensureProvider(ctx: Context, id: string, host: string, facts: HostFacts): Promise<void> {
    const { vcpu, memory, disk } = deps.allocationRatios
    await placement.call(asCompute(ctx), 'ensureProvider', { params: { uuid: id }, body: { name: host, traits: facts.traits, inventories: {
      VCPU: { total: facts.vcpus, max_unit: facts.vcpus, allocation_ratio: vcpu },
      MEMORY_MB: { total: facts.memoryMib, reserved: Math.min(deps.reservedMemoryMib, facts.memoryMib - 1), max_unit: facts.memoryMib, allocation_ratio: memory },
      DISK_GB: { total: facts.diskGib, max_unit: facts.diskGib, allocation_ratio: disk },
    } } })
  }

  return {
    instanceInfo: (ctx, { serverId }) => ctx.span('conductor.take', async () => {
      const { row, nics } = await ctx.span('conductor.read-database', () => store.read(async (tx) => ({ row: await servers.get(tx, serverId), nics: await servers.nics(tx, serverId) })))
      const info: InstanceInfo = {
        serverId, name: instanceName(row), projectId: row.projectId, userId: row.userId, flavor: JSON.parse(row.flavor) as FlavorSnapshot, imageId: row.imageId,
        nics: nics.map((nic) => ({ portId: nic.portId, networkId: nic.networkId })),
      }
      if (row.configDrive === 1) info.configDrive = await metadata.configDrive(asCompute(ctx), row, deps.metadata)
      return info
    }),

    metadata: (ctx, { portId }) => metadata.forPort(asCompute(ctx), portId, deps.metadata),

    async hostReport(ctx, { host, hostIp, facts, bootedAt }) {
      const id = await store.tx((tx) => hosts.report(tx, host, hostIp, facts, bootedAt))
      await ensureProvider(ctx, id, host, facts)
      return { serverIds: (await store.read((tx) => servers.serversOn(tx, host))).map((s) => s.id) }
    },

    heartbeat: (_ctx, { hosts: names }) => store.tx(async (tx) => ({ known: await hosts.heartbeat(tx, names) })),

    async observed(_ctx, { host, seen }) {
      const missed = new Set(seen.filter((s) => s.reason === lostReason).map((s) => s.serverId))
      const strangers = (await store.tx((tx) => servers.observe(tx, host, seen))).filter((id) => !missed.has(id))
      if (strangers.length > 0) log.warn({ host, strangers }, 'guests that no server of this cloud should have here were left alone')
    },

    async powerDone(ctx, { serverId, generation, action, host, power, fault }) {
      await store.tx(async (tx) => {
        if (power) await servers.observe(tx, host, [{ serverId, power }])
        await actions.end(tx, serverId, ctx.requestId, { host, ...(fault && { failed: fault.message }) })
        const row = await servers.get(tx, serverId)
        // A later change is under way already: its own answer counts.
        if (row.generation !== generation) return
        if (fault) {
          await servers.move(tx, row, { taskState: null })
          await servers.complain(tx, serverId, fault)
        } else {
          await servers.move(tx, row, { taskState: null, vmState: powerMoves[action].to, ...(powerMoves[action].to === 'active' && { launchedAt: row.launchedAt ?? row.updatedAt }) })
        }
      }).catch((error: unknown) => {
        if (!isFault(error, 'notFound')) throw error
        log.debug({ serverId, error: explain(error) }, 'a power change ended after its server was gone')
      })
    },

    async done(_ctx, message) { commands.done(message) },
  }
}
