// "Create server", the saga: ports, a host, the guest. Steps 8 to 28 of the boot flow happen below it.
import { type Fault, faultFrom, isFault } from '#base/errors.ts'
import { saga, type SagaFault, type StepContext } from '#kit/saga/saga.ts'
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
    await servers.forgetFiles(tx, serverId)
    await actions.end(tx, serverId, ctx.requestId, { failed: ctx.fault.message })
  }) })

  // What the user brought is never made nor deleted here.
  await Promise.all(plan.nics.map((nic, card) => nic.userOwned ? undefined : flow.step(`port ${card}`, {
    do: async (ctx) => {
      await network.call(asCompute(ctx), 'ensurePort', { params: { port_id: nic.portId }, body: { port: {
        network_id: nic.networkId, project_id: plan.projectId, device_id: serverId, device_owner: `compute:${plan.availabilityZone ?? 'nova'}`,
        ...(nic.fixedIp && { fixed_ips: [{ ip_address: nic.fixedIp }] }), ...(plan.securityGroupIds.length > 0 && { security_groups: plan.securityGroupIds }),
      } } })
    },
    undo: (ctx) => unlessGone(network.call(asCompute(ctx), 'removePort', { params: { port_id: nic.portId } })),
  })))

  // Claiming is an attempt of its own: the host's name must outlive the failure of what is then tried there, also in a replay.
  const tried: string[] = []
  let failed: SagaFault | undefined, failures = 0
  for (let n = 1; ; n++) {
    const placed = await flow.attempt(`place ${n}`, (part) => part.step('claim', {
      do: (ctx) => ctx.span('conductor.call-scheduler', () => bus.call(asCompute(ctx), schedulerBus, 'select', {
        serverId, projectId: plan.projectId, userId: plan.userId, flavor: plan.flavor, imageId: plan.imageId, availabilityZone: plan.availabilityZone, host: plan.host,
        hypervisorHostname: plan.hypervisorHostname, forced: plan.forced, group: plan.group, schedulerHints: plan.schedulerHints, exclude: [...tried],
      }, { repeatable: true })),
      undo: release,
    }))
    if (!placed.ok) {
      // Where there is no host left, the last host's own words say more than "no valid host".
      if (placed.fault.type === 'NoValidHost' || ++failures === mostHosts) throw asFault(failed ?? placed.fault)
      continue
    }
    const { host, node } = placed.value
    tried.push(host)
    const built = await flow.attempt(`host ${n}`, async (part) => {
      await part.step('assign', {
        do: () => store.tx((tx) => servers.assign(tx, serverId, host, node, plan.group)),
        undo: () => store.tx((tx) => servers.unassign(tx, serverId)),
      })
      await Promise.all(plan.nics.map((nic, card) => part.step(`bind ${card}`, {
        do: async (ctx) => { await network.call(asCompute(ctx), 'bindPort', { params: { port_id: nic.portId }, body: { host, device_id: serverId, device_owner: `compute:${plan.availabilityZone ?? 'nova'}` } }) },
        undo: (ctx) => unlessGone(network.call(asCompute(ctx), 'unbindPort', { params: { port_id: nic.portId }, body: { device_id: serverId, keep_device: !nic.userOwned } })),
      })))
      await part.step('spawn', { do: (ctx) => commands.ensure(ctx, host), undo: (ctx) => commands.remove(ctx, host) })
    })
    if (built.ok) break
    await flow.step(`release ${n}`, { do: release })
    // Nothing failed: of a group's servers that came to one host at once, one got it. Each round another does.
    if (built.fault.type === servers.groupTaken) continue
    failed = built.fault
    if (++failures === mostHosts) throw asFault(failed)
  }

  // The guest runs: a hiccup of the database is no reason to take it away again.
  flow.pivot()
  await flow.step('finish', { do: (ctx) => store.tx(async (tx) => {
    await servers.launched(tx, serverId)
    await servers.forgetFiles(tx, serverId)
    await actions.end(tx, serverId, ctx.requestId, { host: (await servers.get(tx, serverId)).host })
  }) })
})

const asFault = (fault: SagaFault): Fault => faultFrom(fault.kind === 'unexpected' ? { kind: 'unavailable', message: 'The server could not be built.' } : { ...fault, kind: fault.kind })
