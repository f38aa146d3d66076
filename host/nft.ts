// nftables: whole scripts applied as one transaction, in the namespace they are for.
import { CommandFault } from '#host/exec.ts'
import { execIn } from '#host/netns.ts'

/** Applies a script: all of it or nothing. */
export const nftApply = async (netns: string, script: string): Promise<void> => { await execIn(netns, 'nft', ['-f', '-'], { stdin: script }) }

/** The text that replaces a table by `body` in one transaction, whether it stood or not. */
export const nftReplaceTable = (family: 'ip' | 'ip6' | 'inet' | 'bridge', name: string, body: string): string =>
  `add table ${family} ${name}\ndelete table ${family} ${name}\ntable ${family} ${name} {\n${body}\n}\n`

/** True for a refusal because something the script speaks of is not there (somebody flushed our tables). */
export const isNftMissing = (error: unknown): boolean => error instanceof CommandFault && /No such file or directory/.test(error.stderr)
