// Disk images through qemu-img. Every format is stated, none is probed: a guest could write a header into its raw disk that names a file of the host.
// It parses what strangers uploaded, so it runs with little memory and little time.
import { exec, execJson } from './exec.ts'
import { open } from 'node:fs/promises'
import { noSpace } from './files.ts'
import { CommandFault } from './exec.ts'
import { GIB, MIB } from '#base/units.ts'
import { badRequest } from '#base/errors.ts'

export type DiskFormat = 'raw' | 'qcow2' | 'vmdk' | 'vdi' | 'vpc' | 'vhdx'
export interface DiskInfo { virtualSizeBytes: number, actualSizeBytes: number, format: string, backingFile?: string }

interface Confined { /** Runs as this user and group. */ uid?: number, /** No file it writes may become larger. */ fileBytes?: number, cwd?: string }

const run = async (args: readonly string[], cpuSeconds: number, signal?: AbortSignal, { uid, fileBytes, cwd }: Confined = {}): Promise<void> => {
  // A user of its own has no other processes, so its number of threads can be bounded.
  const limits = [`--as=${1 * GIB}`, `--cpu=${cpuSeconds}`, '--core=0', ...(fileBytes === undefined ? [] : [`--fsize=${fileBytes}`]), ...(uid === undefined ? [] : ['--nproc=128', '--nofile=64'])]
  try {
    await exec('prlimit', [...limits, 'qemu-img', ...args], { signal, timeoutMs: Math.max(30_000, cpuSeconds * 10_000), cwd, ...(uid !== undefined && { uid, gid: uid }) })
  } catch (error) {
    throw error instanceof CommandFault && /No space left|Disk quota exceeded/.test(error.stderr) ? noSpace(error) : error
  }
}

/** Makes a qcow2 disk at `path` (replaced if there) whose untouched blocks are read from `base`. */
export const createOverlay = (path: string, base: { path: string, format: 'raw' | 'qcow2' }, sizeBytes: number, signal?: AbortSignal): Promise<void> =>
  run(['create', '-q', '-f', 'qcow2', '-F', base.format, '-b', base.path, path, String(sizeBytes)], 20, signal)

/** Makes an empty disk. */
export const createDisk = (path: string, format: 'raw' | 'qcow2', sizeBytes: number, signal?: AbortSignal): Promise<void> =>
  run(['create', '-q', '-f', format, path, String(sizeBytes)], 20, signal)

/** Grows a disk. Never of one a guest has written to and that is opened as root: its header may name any file. */
export const resizeDisk = (path: string, format: 'raw' | 'qcow2', sizeBytes: number, signal?: AbortSignal): Promise<void> =>
  run(['resize', '-q', '-f', format, path, String(sizeBytes)], 20, signal)

/** Copies `from` into a new file of another format. Minutes for big disks; give a signal. */
export const convertDisk = (from: { path: string, format: DiskFormat }, to: { path: string, format: 'raw' | 'qcow2' }, signal?: AbortSignal): Promise<void> =>
  run(['convert', '-q', '-f', from.format, '-O', to.format, from.path, to.path], 3600, signal)

/** The same for what a stranger made: by a user without rights, with an hour of processor time, and the new file no larger than `maxBytes`. The caller has looked that the disk names no other file.
 * Both are names in `dir`, which need belong to that user only: what lies above it may be closed to him, for it is entered before the user is changed. */
export const convertStrangers = (from: { name: string, format: DiskFormat }, to: { name: string, format: 'raw' | 'qcow2' }, { dir, uid, maxBytes, signal }: { dir: string, uid?: number, maxBytes: number, signal?: AbortSignal }): Promise<void> =>
  run(['convert', '-q', '-f', from.format, '-O', to.format, `./${from.name}`, `./${to.name}`], 3600, signal, { uid, fileBytes: maxBytes, cwd: dir })

/** What the header says. */
export async function inspectDisk(path: string, format: DiskFormat, signal?: AbortSignal): Promise<DiskInfo> {
  const info = await execJson<Record<string, unknown>>('prlimit', [`--as=${1 * GIB}`, '--cpu=20', '--core=0', 'qemu-img', 'info', '-f', format, '--output=json', path], { signal, maxOutputBytes: 1 * MIB })
  if (typeof info?.['virtual-size'] !== 'number') throw badRequest('The disk image could not be read')
  return {
    virtualSizeBytes: info['virtual-size'], actualSizeBytes: Number(info['actual-size'] ?? 0), format: String(info.format),
    ...(typeof info['backing-filename'] === 'string' && { backingFile: info['backing-filename'] }),
  }
}

/** The size a guest would see, from the first bytes alone: no process, for the way to a server's start. */
export async function virtualSizeBytes(path: string, format: 'raw' | 'qcow2'): Promise<number> {
  const file = await open(path, 'r')
  try {
    if (format === 'raw') return (await file.stat()).size
    const header = Buffer.alloc(32)
    const { bytesRead } = await file.read(header, 0, 32, 0)
    if (bytesRead < 32 || header.readUInt32BE(0) !== 0x514649fb) throw badRequest('The image is not in the format it is declared to be (qcow2)')
    return Number(header.readBigUInt64BE(24))
  } finally {
    await file.close()
  }
}
