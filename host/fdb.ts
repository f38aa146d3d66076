// Where an overlay device sends what it does not know: the flood list of a VXLAN device (entries of the all-zero MAC).
import { exec, execJson } from '#host/exec.ts'

const everyone = '00:00:00:00:00:00'

/** The peers on the device's flood list. */
export const floodPeers = async (netns: string, device: string): Promise<string[]> =>
  ((await execJson<{ mac: string, dst?: string }[]>('bridge', ['-n', netns, '-json', 'fdb', 'show', 'dev', device])) ?? [])
    .filter(entry => entry.mac === everyone && entry.dst !== undefined).map(entry => entry.dst as string)

/** Adds and removes peers in one process. */
export async function setFloodPeers(netns: string, device: string, add: readonly string[], remove: readonly string[]): Promise<void> {
  const lines = [...add.map(peer => `fdb append ${everyone} dev ${device} dst ${peer}`), ...remove.map(peer => `fdb delete ${everyone} dev ${device} dst ${peer}`)]
  if (lines.length > 0) await exec('bridge', ['-n', netns, '-batch', '-'], { stdin: `${lines.join('\n')}\n` })
}
