// dnsmasq daemons: found again by their pid file, started inside a namespace, told to read their lists anew.
import { readFile } from 'node:fs/promises'
import { waitFor } from '#base/retry.ts'
import { isMissing, readText } from '#host/files.ts'
import { execIn } from '#host/netns.ts'
import { signalProcess } from '#host/processes.ts'

export interface DnsmasqFiles { configPath: string, pidPath: string }

/** The pid of the dnsmasq that runs with this very configuration file; undefined if none does. A pid used again by another process is not taken for it. */
export async function dnsmasqPid(files: DnsmasqFiles): Promise<number | undefined> {
  const pid = Number(await readText(files.pidPath))
  if (!Number.isInteger(pid) || pid <= 1) return undefined
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes(files.configPath) ? pid : undefined
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ESRCH') return undefined
    throw error
  }
}

/** Starts it in a namespace; it leaves our session by itself, and the call answers when it has its sockets. */
export const startDnsmasq = async (netns: string, files: DnsmasqFiles): Promise<void> => { await execIn(netns, 'dnsmasq', [`--conf-file=${files.configPath}`]) }

/** Makes it read its host, option and address files again; the configuration file itself is read only at its start. */
export const reloadDnsmasq = (pid: number): boolean => signalProcess(pid, 'SIGHUP')

/** Ends it and waits until it is gone. Not running is success. */
export async function stopDnsmasq(files: DnsmasqFiles): Promise<void> {
  const pid = await dnsmasqPid(files)
  if (pid === undefined) return
  signalProcess(pid, 'SIGTERM')
  const gone = async (): Promise<true | undefined> => await dnsmasqPid(files) === pid && signalProcess(pid, 0) ? undefined : true
  await waitFor('dnsmasq to end', gone, 2000, 10).catch(() => signalProcess(pid, 'SIGKILL'))
}

/** The account dnsmasq gives its privileges up for: its package's own, else nobody. */
export async function dnsmasqAccount(): Promise<{ name: string, uid: number, gid: number }> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'))
  const [name, , uid, gid] = lines.find(line => line[0] === 'dnsmasq') ?? ['nobody', '', '65534', '65534']
  return { name: name as string, uid: Number(uid), gid: Number(gid) }
}
