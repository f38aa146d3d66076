// "Delete server", the saga. It pivots at once: from here on there is only forward.
import { isFault } from '#base/errors.ts'
import { saga } from '#kit/saga/saga.ts'
import * as actions from '../instance-actions/store.ts'
import { asCompute } from './commands.ts'
import type { ConductorDeps } from './deps.ts'
import * as servers from './servers-store.ts'
import { bury } from './bury.ts'

export const deleteServer = saga<{ serverId: string }, ConductorDeps>('server.delete', async (flow, { serverId }, { store, network, placement, commands }) => {
  const ifThere = async (work: Promise<unknown>): Promise<void> => { await work.catch((error: unknown) => { if (!isFault(error, 'notFound')) throw error }) }
  flow.pivot()
  // Asked for at the very moment when another delete ended: then there is nothing to look at, and nothing to wait for.
  const { host, nics } = await flow.step('look', { do: () => store.read(async (tx) => ({
    host: (await servers.find(tx, serverId))?.host ?? null, nics: (await servers.nics(tx, serverId)).map((nic) => ({ portId: nic.portId, userOwned: nic.userOwned === 1 })),
  })) })
  if (host !== null) await flow.step('guest', { do: (ctx) => commands.remove(ctx, host) })
  await Promise.all(nics.map((nic, card) => flow.step(`port ${card}`, {
    do: (ctx) => ifThere(nic.userOwned
      ? network.call(asCompute(ctx), 'unbindPort', { params: { port_id: nic.portId }, body: { device_id: serverId, keep_device: false } })
      : network.call(asCompute(ctx), 'removePort', { params: { port_id: nic.portId } })),
  })))
  await flow.step('allocations', { do: (ctx) => ifThere(placement.call(asCompute(ctx), 'deleteAllocations', { params: { consumer_uuid: serverId } })) })
  await flow.step('finish', { do: (ctx) => store.tx(async (tx) => {
    await bury(tx, serverId)
    await actions.end(tx, serverId, ctx.requestId, { host })
  }) })
})
