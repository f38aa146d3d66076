// Making a disk image another format: work on the machine, with a tool that parses what a stranger made.
import type { Readable } from 'node:stream'
import type { Context } from '#base/context.ts'

/** As OpenStack names them; `vhd` is the format QEMU calls vpc. */
export type ConvertibleFormat = 'raw' | 'qcow2' | 'vmdk' | 'vdi' | 'vhd' | 'vhdx'
export type TargetFormat = 'raw' | 'qcow2'

export interface Conversion {
  /** The disk as a stream: it is written out where the tool may read it, and closed. Its format is known, never guessed. */
  disk: Readable
  from: ConvertibleFormat
  to: TargetFormat
  /** Neither the disk nor what comes of it may have more bytes. */
  maxBytes: number
  /** Ends it at any point: while the disk is still coming, while it is converted, while its taker takes. */
  signal?: AbortSignal
}

export interface Converter {
  readonly name: string
  /** Converts, hands the result to `take`, and answers what that answers; nothing is left behind. badRequest for a disk that cannot be converted, tooLarge for one that is too big. */
  convert<T>(ctx: Context, conversion: Conversion, take: (result: Readable) => Promise<T>): Promise<T>
}
