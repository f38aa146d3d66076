// Logging in to a guest: Debian's ssh client, with a key of the moment and nothing remembered.
import { CommandFault, exec } from '#host/exec.ts'
import { waitFor } from '#base/retry.ts'
import { Usage } from './usage.ts'

export interface Login { address: string, user: string, keyFile: string }

const args = ({ address, user, keyFile }: Login): string[] => [
  '-i', keyFile, '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR',
  '-o', 'ConnectTimeout=5', '-F', 'none', `${user}@${address}`,
]

/** Runs a command in the guest; answers what it printed. */
export const runIn = async (login: Login, command: string, timeoutMs = 60_000): Promise<string> => (await exec('ssh', [...args(login), command], { timeoutMs })).stdout

/** Waits until the guest lets us in. Throws a Usage with ssh's own words when it does not. */
export async function waitForLogin(login: Login, timeoutMs: number, signal: AbortSignal): Promise<void> {
  let last = ''
  await waitFor('ssh', async () => {
    signal.throwIfAborted()
    try { await runIn(login, 'true', 30_000); return true } catch (error) { last = error instanceof CommandFault ? error.stderr : String(error); return undefined }
  }, timeoutMs, 500).catch(() => {
    signal.throwIfAborted()
    throw new Usage(`the server does not let anybody in by ssh after ${timeoutMs / 1000} s; ssh said: ${last}`)
  })
}
