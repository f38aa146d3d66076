// What becomes of staged bytes before a store sees them: unpacked, looked at, converted, as it was configured.
import type { Readable } from 'node:stream'
import type { ConvertibleFormat } from '#drivers/conversion/contract.ts'
import { whileWanted } from '#base/chunks.ts'
import { badRequest, conflict } from '#base/errors.ts'
import type { StepContext } from '#kit/saga/saga.ts'
import type { Plugins } from '../config.ts'
import type { Deps } from '../deps.ts'
import { inspectBytes } from '../formats/inspect.ts'
import { longestMark } from '../formats/containers.ts'
import { examine } from '../formats/examine.ts'
import type { Image } from '../images/store.ts'
import { firstStaged, openStaged, stagedOf } from '../stage/staged.ts'
import { canUnpack, unpack } from './unpack.ts'

/** What the image is once it is active. */
export interface Facts { diskFormat: string, containerFormat: string, virtualSize: number | null, properties: Record<string, string> }

const convertible: readonly string[] = ['raw', 'qcow2', 'vmdk', 'vdi', 'vhd', 'vhdx'] satisfies ConvertibleFormat[]
const unpackedForm = 1, convertedForm = 2

/** Repeatable: a form that is staged already is not made again. */
export async function prepareStaged(
  ctx: StepContext, deps: Deps, image: Image, { decompress, convertTo, inject }: Plugins, stage: (form: number, body: Readable) => Promise<void>,
): Promise<Facts> {
  const { store, config, converter, maxImageBytes } = deps
  const { containerFormat } = image
  let { diskFormat } = image
  if (diskFormat === null || containerFormat === null) throw conflict('disk_format and container_format must be set before an import.')
  const form = async (): Promise<number> => (await store.read((tx) => stagedOf(tx, image.id))).form
  const look = async (): Promise<number | null> => examine({ diskFormat: diskFormat!, containerFormat }, await firstStaged(ctx, deps, image.id, inspectBytes))

  // As in glance: who says that it is compressed wants it so; of all else the first bytes tell.
  if (decompress && containerFormat !== 'compressed' && await form() < unpackedForm && canUnpack(await firstStaged(ctx, deps, image.id, longestMark))) {
    const bounds = { maxBytes: maxImageBytes, maxRatio: config.maxUnpackedRatio }
    await whileWanted(ctx.signal, await openStaged(ctx, deps, image.id), (packed) => stage(unpackedForm, unpack(packed, bounds)))
  }
  const from = diskFormat
  const converting = convertTo !== null && containerFormat === 'bare' && from !== convertTo && convertible.includes(from)
  if (converting && await form() < convertedForm) {
    if (!converter) throw badRequest('Disks cannot be converted here.')
    // Only what our own parser has accepted is shown to the tool.
    await look()
    const disk = await openStaged(ctx, deps, image.id)
    await converter.convert(ctx, { disk, from: from as ConvertibleFormat, to: convertTo, maxBytes: maxImageBytes, signal: ctx.signal }, (result) => stage(convertedForm, result))
  }
  if (converting) diskFormat = convertTo
  const virtualSize = await look()
  const exempt = ctx.actor.roles.some((role) => inject.unlessRoles.includes(role))
  return { diskFormat, containerFormat, virtualSize, properties: exempt ? {} : inject.properties }
}
