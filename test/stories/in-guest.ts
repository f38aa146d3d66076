// What a test says to a running guest from outside.
import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { waitFor } from '#base/retry.ts'

/** Is the port open? A port that nobody answers counts as closed after `patienceMs`. */
export const isOpen = (address: string, port: number, patienceMs = 2_000): Promise<boolean> => new Promise((resolve) => {
  const socket = connect({ host: address, port })
  const end = (open: boolean): void => { clearTimeout(timer); socket.destroy(); resolve(open) }
  const timer = setTimeout(() => end(false), patienceMs)
  socket.once('connect', () => end(true)).once('error', () => end(false))
})

/** Runs a command in a guest, once. */
export const ssh = (address: string, key: string, command: string): Promise<string> => new Promise((resolve, reject) => {
  execFile('ssh', ['-i', key, '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'ConnectTimeout=5', '-o', 'LogLevel=ERROR', `debian@${address}`, command],
    { timeout: 60_000 }, (error, stdout, stderr) => (error ? reject(new Error(`ssh ${address} ${command}: ${stderr || error.message}`, { cause: error })) : resolve(stdout)))
})

/** The same, once the guest answers. */
export const sshWhenUp = (address: string, key: string, command: string): Promise<string> => waitFor(`ssh to ${address}`, () => ssh(address, key, command).catch(() => undefined), 120_000, 500)
