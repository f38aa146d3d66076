// "Create server", the saga: ports, a host, the guest. Steps 8 to 28 of the boot flow happen below it.
import type { StepContext } from '#kit/saga/saga.ts'
import { saga } from '#kit/saga/saga.ts'
import { isFault } from '#base/errors.ts'
import { faultFrom } from '#base/errors.ts'
import { now } from '#base/time.ts'
import { schedulerBus } from '../bus.ts'
import * as actions from '../instance-actions/store.ts'
import type { BuildPlan } from '../lifecycle.ts'
import { asCompute } from './commands.ts'
import type { ConductorDeps } from './deps.ts'
import * as servers from './servers-store.ts'

export type BuildInput = Omit<BuildPlan, 'secrets'>
export type BuildSecrets = BuildPlan['secrets']

/** nova's scheduler.max_attempts. */
const mostHosts = 3

const unlessGone = async (work: Promise<unknown>): Promise<void> => { await work.catch((error: unknown) => { if (!isFault(error, 'notFound')) throw error }) }

export const buildServer = saga<BuildInput, ConductorDeps, BuildSecrets>('server.build', async (flow, plan, { store, bus, network, placement, commands }) => {
  const { serverId } = plan
  const release = (ctx: StepContext): Promise<void> => unlessGone(placement.call(asCompute(ctx), 'deleteAllocations', { params: { consumer_uuid: serverId } }))

  // A failed build is not erased: OpenStack promises the user a server in ERROR, with its fault, still counted in his quota.
  await flow.step('own', { do: async () => {}, undo: (ctx) => store.tx(async (tx) => {
    await servers.fail(tx, serverId, ctx.fault)
    await actions.end(tx, serverId, ctx.requestId, { failed: ctx.fault.message })
  }) })

  // What the user brought is never made nor deleted here.
  await Promise.all(plan.nics.filter((nic) => !nic.userOwned).map((nic) => flow.step(`port ${nic.portId}`, {
    do: async (ctx) => {
      await network.call(asCompute(ctx), 'ensurePort', { params: { port_id: nic.portId }, body: { port: {
        network_id: nic.networkId, project_id: plan.projectId, device_id: serverId, device_owner: `compute:${plan.availabilityZone ?? 'nova'}`,
        ...(nic.fixedIp && { fixed_ips: [{ ip_address: nic.fixedIp }] }), ...(plan.securityGroupIds.length > 0 && { security_groups: plan.securityGroupIds }),
      } } })
    },
    undo: (ctx) => unlessGone(network.call(asCompute(ctx), 'removePort', { params: { port_id: nic.portId } })),
  })))

  const tried: string[] = []
  for (let n = 1; ; n++) {
    const placed = await flow.attempt(`host ${n}`, async (part) => {
      const { host, node } = await part.step('place', {
        do: (ctx) => ctx.span('conductor.call-scheduler', () => bus.call(asCompute(ctx), schedulerBus, 'select', {
          serverId, projectId: plan.projectId, userId: plan.userId, flavor: plan.flavor, imageId: plan.imageId, availabilityZone: plan.availabilityZone, host: plan.host,
          hypervisorHostname: plan.hypervisorHostname, forced: plan.forced, group: plan.group, schedulerHints: plan.schedulerHints, exclude: [...tried],
        }, { repeatable: true })),
        undo: release,
      })
      tried.push(host)
      await part.step('assign', {
        do: () => store.tx((tx) => servers.progress(tx, serverId, { host, node, taskState: 'spawning' })),
        undo: () => store.tx((tx) => servers.progress(tx, serverId, { host: null, node: null, taskState: 'scheduling' })),
      })
      await Promise.all(plan.nics.map((nic) => part.step(`bind ${nic.portId}`, {
        do: async (ctx) => { await network.call(asCompute(ctx), 'bindPort', { params: { port_id: nic.portId }, body: { host, device_id: serverId, device_owner: `compute:${plan.availabilityZone ?? 'nova'}` } }) },
        undo: (ctx) => unlessGone(network.call(asCompute(ctx), 'unbindPort', { params: { port_id: nic.portId }, body: { device_id: serverId, keep_device: !nic.userOwned } })),
      })))
      await part.step('spawn', { do: (ctx) => commands.ensure(ctx, host), undo: (ctx) => commands.remove(ctx, host) })
      return host
    })
    if (placed.ok) break
    // Where there is no host left, the first host's own words say more than "no valid host".
    const { fault } = placed
    if (fault.type === 'NoValidHost' || n === mostHosts) {
      await flow.step('give up', { do: async () => { throw faultFrom(fault.kind === 'unexpected' ? { kind: 'unavailable', message: 'The server could not be built.' } : { ...fault, kind: fault.kind }) } })
    }
  }

  await flow.step('finish', { do: (ctx) => store.tx(async (tx) => {
    const row = await servers.get(tx, serverId)
    await actions.end(tx, serverId, ctx.requestId, { host: row.host })
    if (row.vmState === 'building') await servers.progress(tx, serverId, { vmState: 'active', taskState: null, progress: 100, launchedAt: row.launchedAt ?? now() })
  }) })
})
