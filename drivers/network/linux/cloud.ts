// The cloud's own namespace: where all bridges and ports live, and where everything is filtered. It has no addresses and routes nothing.
import { access } from 'node:fs/promises'
import { exec } from '#host/exec.ts'
import { ipBatch } from '#host/ip.ts'
import { ensureNetns, netnsStands, sysctl } from '#host/netns.ts'
import { nftApply } from '#host/nft.ts'
import { allTables } from './tables.ts'
import type { State } from './state.ts'

const bridgeCalls = ['iptables', 'ip6tables', 'arptables'].map(name => `net/bridge/bridge-nf-call-${name}`)

/**
 * The kernel's part that shows bridged packets to the stateful rules. Where it is a module not loaded yet, loading it would at once switch it on for the
 * host's own bridges; that is switched off again, as nothing of ours filters in the host's namespace.
 */
async function ensureBridgeNetfilter(): Promise<void> {
  const there = () => access(`/proc/sys/${bridgeCalls[0]}`).then(() => true, () => false)
  if (await there()) return
  await exec('modprobe', ['br_netfilter'])
  await exec('sh', ['-c', bridgeCalls.map(name => `echo 0 > /proc/sys/${name}`).join(' && ')])
}

/** What every namespace of ours starts from, whatever the host's defaults are. */
export const quietNamespace = { 'net/ipv4/ip_forward': 0, 'net/ipv4/conf/all/rp_filter': 0, 'net/ipv4/conf/default/rp_filter': 0, 'net/ipv6/conf/all/accept_ra': 0, 'net/ipv6/conf/default/accept_ra': 0, 'net/ipv6/conf/default/accept_dad': 0 }

/** Makes the namespace and both rule tables stand as `state` says: whole, in one transaction, without a moment unguarded. */
export async function ensureCloud(netns: string, state: State): Promise<void> {
  if (!await netnsStands(netns)) await ensureBridgeNetfilter()
  await ensureNetns(netns)
  await sysctl(netns, {
    ...quietNamespace,
    'net/ipv6/conf/all/disable_ipv6': 1, 'net/ipv6/conf/default/disable_ipv6': 1,
    'net/bridge/bridge-nf-call-iptables': 1, 'net/bridge/bridge-nf-call-ip6tables': 1, 'net/bridge/bridge-nf-call-arptables': 0,
  })
  await nftApply(netns, allTables(state))
  // Connections we never saw begin are not taken for known ones: else a reply could bring a cut connection back to life.
  // The parameter exists once conntrack does, which the tables have just called for.
  await sysctl(netns, { 'net/netfilter/nf_conntrack_tcp_loose': 0 })
  await ipBatch(netns, ['link set dev lo up'])
}
