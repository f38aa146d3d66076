// Errors that are told to the person at the keyboard, and how options are read.
import { parseArgs, type ParseArgsConfig } from 'node:util'

/** Something the person can mend: the message says what to do. */
export class Usage extends Error {
  readonly code: number
  constructor(message: string, code = 1) { super(message); this.code = code }
}

/** Reads a command's options; prints its help and answers undefined for --help. */
export function options<const O extends NonNullable<ParseArgsConfig['options']>>(args: string[], spec: O, help: string) {
  let parsed
  try {
    parsed = parseArgs({ args, options: { ...spec, help: { type: 'boolean', short: 'h' }, 'no-install': { type: 'boolean' } }, strict: true, allowPositionals: false })
  } catch (error) {
    throw new Usage(`${(error as Error).message}\n\n${help}`, 2)
  }
  if ((parsed.values as { help?: boolean }).help) {
    process.stdout.write(help)
    return undefined
  }
  return parsed.values as unknown as { [K in keyof O]?: O[K] extends { type: 'boolean' } ? boolean : string } & { 'no-install'?: boolean }
}
