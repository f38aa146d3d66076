// `logs`: the last lines of the control plane's log, and those to come.
import { open, watch } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { defaultStateDir, findStateDir, logFileOf } from '../state-dir.ts'
import { options, Usage } from '../usage.ts'

const help = `Usage: ./pileus logs [-f] [-n LINES] [--state-dir DIR]

Shows the control plane's log (JSON, a line an event).

  -n, --lines N    so many of the last lines (50)
  -f, --follow     go on as lines come, until Ctrl-C
  --state-dir DIR  the cloud (${defaultStateDir()})
`

export async function run(args: string[]): Promise<number> {
  const values = options(args, { 'follow': { type: 'boolean', short: 'f' }, 'lines': { type: 'string', short: 'n' }, 'state-dir': { type: 'string' } }, help)
  if (!values) return 0
  const count = Number(values.lines ?? '50')
  if (!Number.isInteger(count) || count < 0) throw new Usage(`-n ${values.lines}: it must be a number`, 2)
  const { path } = await findStateDir(values['state-dir'] ?? defaultStateDir())
  const file = logFileOf(path)
  // Watched from before the first look, so that no line falls between; the folder, for the file is replaced when it grows too large.
  const changes = values.follow ? watch(dirname(file)) : undefined
  let at = await printTail(file, count)
  if (!changes) return 0
  process.once('SIGINT', () => process.exit(0))
  for await (const { filename } of changes) if (filename === null || filename === basename(file)) at = await printFrom(file, at)
  return 0
}

const missing = (error: NodeJS.ErrnoException): undefined => { if (error.code !== 'ENOENT') throw error }

/** Prints the last lines, reading no more of the file than they need; answers where it ended. */
async function printTail(file: string, count: number): Promise<number> {
  const handle = await open(file).catch(missing)
  if (!handle) return 0
  try {
    const { size } = await handle.stat()
    const parts: Buffer[] = []
    let from = size
    // One line's end more than asked for: the first line found may be half.
    for (let ends = 0; from > 0 && ends <= count;) {
      const start = Math.max(0, from - 65_536), { buffer } = await handle.read(Buffer.alloc(from - start), 0, from - start, start)
      parts.unshift(buffer)
      ends += buffer.reduce((n, byte) => byte === 10 ? n + 1 : n, 0)
      from = start
    }
    const lines = Buffer.concat(parts).toString().split('\n').slice(0, -1)
    process.stdout.write(lines.slice(Math.max(0, lines.length - count)).map((line) => `${line}\n`).join(''))
    return size
  } finally {
    await handle.close()
  }
}

async function printFrom(file: string, at: number): Promise<number> {
  const handle = await open(file).catch(missing)
  if (!handle) return 0
  try {
    const { size } = await handle.stat()
    // Shorter than before: it was begun anew.
    const from = size < at ? 0 : at
    if (size > from) process.stdout.write((await handle.read(Buffer.alloc(size - from), 0, size - from, from)).buffer)
    return size
  } finally {
    await handle.close()
  }
}
