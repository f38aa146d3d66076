// Conversion by qemu-img: as a user of nobody's, in a directory made for this one disk, with little memory, time and room, and with every format stated.
import { createReadStream } from 'node:fs'
import { chown, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { chunksOf, tooMuch, whileWanted } from '#base/chunks.ts'
import { badRequest } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { MIB } from '#base/units.ts'
import { CommandFault } from '#host/exec.ts'
import { diskFault } from '#host/files.ts'
import { isRunning, startOf } from '#host/processes.ts'
import { convertStrangers, type DiskFormat } from '#host/qemu-img.ts'
import type { Conversion, Converter } from '../contract.ts'

export interface QemuImgConfig {
  /** Scratch disks lie here while they are worked on; needs room for two of them. */
  dir: string
  /** Whom qemu-img runs as, where we are root. No such user need exist. */
  uid?: number
}

const separator = '~'
const inQemusWords = (format: Conversion['from']): DiskFormat => format === 'vhd' ? 'vpc' : format

async function receive(disk: Readable, path: string, maxBytes: number): Promise<void> {
  const file = await open(path, 'wx', 0o444)
  let size = 0
  try {
    for await (const chunk of chunksOf(disk)) {
      size += chunk.length
      if (size > maxBytes) throw tooMuch(maxBytes)
      await file.writeFile(chunk)
    }
  } finally {
    await file.close()
  }
}

/** Opens the converter; what dead processes of this host left in its directory is removed. */
export async function openQemuImg({ dir, uid }: QemuImgConfig): Promise<Converter> {
  await mkdir(dir, { recursive: true, mode: 0o711 })
  for (const name of await readdir(dir)) {
    const [host, pid, startTicks] = name.split(separator)
    if (host === hostname() && !await isRunning({ pid: Number(pid), startTicks: Number(startTicks) })) await rm(join(dir, name), { recursive: true, force: true })
  }
  const owner = [hostname(), process.pid, await startOf(process.pid)].join(separator)
  const asUid = process.getuid?.() === 0 ? uid : undefined

  return {
    name: 'qemu-img',
    async convert(ctx, { disk, from, to, maxBytes, signal }, take) {
      const scratch = join(dir, [owner, newId()].join(separator)), result = join(scratch, 'out')
      await mkdir(scratch, { mode: 0o700 })
      try {
        await whileWanted(signal, disk, () => receive(disk, join(scratch, 'in'), maxBytes))
        if (asUid !== undefined) await chown(scratch, asUid, asUid)
        await ctx.span('image.convert', () => convertStrangers({ name: 'in', format: inQemusWords(from) }, { name: 'out', format: to }, { dir: scratch, uid: asUid, maxBytes, signal }), { tenant: { from, to } })
        if ((await stat(result)).size > maxBytes) throw tooMuch(maxBytes)
        return await whileWanted(signal, createReadStream(result, { highWaterMark: MIB }), take)
      } catch (error) {
        if (!(error instanceof CommandFault) || signal?.aborted) throw diskFault(error)
        ctx.log.warn({ stderr: error.stderr, from, to }, 'qemu-img could not convert an image')
        throw badRequest(`The image could not be converted from ${from} to ${to}.`, { type: 'ConversionFailed', cause: error })
      } finally {
        await rm(scratch, { recursive: true, force: true })
      }
    },
  }
}
