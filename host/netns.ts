// Network namespaces by name, as `ip netns` keeps them: a bind mount under /run/netns for each.
import { spawn } from 'node:child_process'
import { readdir, readlink, stat, statfs, unlink, writeFile } from 'node:fs/promises'
import type { Server } from 'node:net'
import { CommandFault, exec } from '#host/exec.ts'
import type { ExecOptions, ExecResult } from '#host/exec.ts'
import { isMissing, removeFile, removeIfEmpty } from '#host/files.ts'

const folder = '/run/netns'
/** Says that /run/netns (a folder and its mount) is ours to remove once the last namespace is gone. */
const folderMark = '/run/pileus-made-netns'
const nsfs = 0x6e736673

/** Where a namespace's handle lies; it can be opened and entered. */
export const netnsPath = (name: string): string => `${folder}/${name}`

/** Runs a command inside a network namespace (undefined: the host's own). Only the network is switched, no mounts. */
export const execIn = (netns: string | undefined, command: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult> =>
  netns === undefined ? exec(command, args, options) : exec('nsenter', [`--net=${netnsPath(netns)}`, '--', command, ...args], options)

/** The names of all namespaces on the host that start with `prefix`, sorted. */
export async function listNetns(prefix = ''): Promise<string[]> {
  try {
    return (await readdir(folder)).filter(name => name.startsWith(prefix)).sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** True if the namespace stands. A file left by a crash between making the name and mounting on it does not count. */
export async function netnsStands(name: string): Promise<boolean> {
  try {
    return (await statfs(netnsPath(name))).type === nsfs
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/** Makes a namespace; answers true if it was not there before. */
export async function ensureNetns(name: string): Promise<boolean> {
  if (await netnsStands(name)) return false
  if (await stat(folder).then(() => false, isMissing)) await writeFile(folderMark, '') // empty, so there is nothing to write half
  await unlink(netnsPath(name)).catch(() => {})
  await exec('ip', ['netns', 'add', name])
  return true
}

/** Removes a namespace's name; the namespace itself goes when its last process and socket do. Not there is success. */
export async function removeNetns(name: string): Promise<void> {
  if (await netnsStands(name)) await exec('ip', ['netns', 'delete', name])
  else await removeFile(netnsPath(name))
}

/** Takes /run/netns away if we were the ones who made the host have it and nobody has a namespace there now. */
export async function removeNetnsFolder(): Promise<void> {
  if (await stat(folderMark).then(() => false, isMissing) || (await listNetns()).length > 0) return
  await exec('umount', ['--no-mtab', folder], { okCodes: [0, 1, 32] })
  if (await removeIfEmpty(folder)) await removeFile(folderMark)
}

/** The processes that live in a namespace. */
export const netnsPids = async (name: string): Promise<number[]> =>
  (await exec('ip', ['netns', 'pids', name])).stdout.split('\n').filter(Boolean).map(Number)

/** True if a process lives in the namespace that has this name now (an older one of the same name is another). */
export async function livesIn(pid: number, name: string): Promise<boolean> {
  try {
    const [link, { ino }] = await Promise.all([readlink(`/proc/${pid}/ns/net`), stat(netnsPath(name))])
    return link === `net:[${ino}]`
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/**
 * Sets kernel parameters (`net/ipv4/ip_forward` → `1`) of a namespace (undefined: the host's own). A missing parameter is an error.
 * The names and values go through stdin: the shell's text is constant.
 */
export const sysctl = async (netns: string | undefined, values: Record<string, string | number>): Promise<void> => {
  const lines = Object.entries(values).map(([name, value]) => `${name} ${value}\n`).join('')
  await execIn(netns, 'sh', ['-c', 'while read -r name value; do echo "$value" > "/proc/sys/$name" || exit 1; done'], { stdin: lines })
}

const listenScript = `
const server = require('node:net').createServer()
process.on('disconnect', () => process.exit())
server.on('error', error => process.send({ error: error.message }))
server.listen({ host: process.argv[1], port: Number(process.argv[2]), backlog: 512 }, () => process.send('server', server))
`

/**
 * A TCP server of ours whose socket belongs to another network namespace. A socket stays in the namespace it was made in, and Node
 * cannot switch; so a short-lived child inside makes it, hands it over and ends.
 */
export const listenIn = (netns: string, host: string, port: number): Promise<Server> => new Promise((resolve, reject) => {
  const child = spawn('nsenter', [`--net=${netnsPath(netns)}`, '--', process.execPath, '--no-warnings', '-e', listenScript, host, String(port)],
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' } })
  let said = '', server: Server | undefined, error: string | undefined
  child.stderr?.on('data', (chunk: Buffer) => { said = (said + chunk.toString()).slice(-2000) })
  const timer = setTimeout(() => { error = 'took longer than 20000 ms'; child.kill('SIGKILL') }, 20_000)
  child.on('message', (message: unknown, handle: unknown) => {
    if (message === 'server') server = handle as Server
    else error = (message as { error?: string }).error
    child.disconnect()
  })
  child.on('error', cause => { clearTimeout(timer); reject(new CommandFault('listening in a namespace', 'could not be started', { cause })) })
  // Only when the child is gone is the socket ours alone: while it lives, closing ours would not free the port.
  child.on('exit', code => {
    clearTimeout(timer)
    if (server !== undefined && error === undefined) resolve(server)
    else reject(new CommandFault('listening in a namespace', error ?? `failed (exit code ${code})`, { stderr: said }))
  })
})
