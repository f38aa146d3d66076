// Everything of one cloud taken from the host, whatever is left of it: found by name, not by memory.
import { waitFor } from '#base/retry.ts'
import type { Context } from '#base/context.ts'
import { removeTree } from '#host/files.ts'
import { ipBatch, ipLinks } from '#host/ip.ts'
import { listNetns, netnsPids, netnsStands, removeNetns, removeNetnsFolder } from '#host/netns.ts'
import { signalProcess } from '#host/processes.ts'
import type { CompleteConfig } from './config.ts'
import { stopAllDnsmasq } from './dhcp.ts'
import type { CloudNames } from './names.ts'

/** Ends the daemons in a namespace. Only ours run in DHCP, router and metadata namespaces; guests may hold the cloud's, and are not ours to end. */
async function endProcesses(netns: string): Promise<void> {
  const ended = async (signal: NodeJS.Signals): Promise<void> => {
    for (const pid of await netnsPids(netns)) signalProcess(pid, signal)
  }
  const empty = async (): Promise<true | undefined> => (await netnsPids(netns)).length === 0 ? true : undefined
  await ended('SIGTERM')
  await waitFor('daemons to end', empty, 2000, 20).catch(async () => {
    await ended('SIGKILL')
    await waitFor('daemons to be killed', empty, 2000, 20)
  })
}

/** Links, namespaces, rules, daemons, files: as if the cloud had never been. Repeatable, also after a crash in the middle. */
export async function removeEverything(ctx: Context, config: CompleteConfig, names: CloudNames): Promise<void> {
  await stopAllDnsmasq(config)
  const ours = (await listNetns(names.cloud)).filter(names.isOurs)
  for (const netns of ours) {
    if (!await netnsStands(netns)) continue
    if (netns !== names.cloud) await endProcesses(netns)
    // The kernel takes a namespace apart some time after its name is gone, and later still if a guest holds it. What reaches beyond it, and what connects
    // guests, goes now.
    await ipBatch(netns, (await ipLinks(netns)).filter(link => /^[bvx][0-9a-f]{12}$/.test(link.ifname)).map(link => `link delete dev ${link.ifname}`))
      .catch(error => ctx.log.warn({ netns, cause: String(error) }, 'a link went by itself'))
  }
  const hosts = (await ipLinks(undefined)).filter(link => link.ifname.startsWith(names.hostLinkPrefix))
  await ipBatch(undefined, hosts.map(link => `link delete dev ${link.ifname}`))
  for (const netns of ours.toReversed()) await removeNetns(netns)
  await removeNetnsFolder()
  await removeTree(config.runDir)
  await removeTree(config.stateDir)
}
