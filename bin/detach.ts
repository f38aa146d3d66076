// A cloud in the background: a process of its own session, which tells the one that started it how far it is.
import { spawn } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import type { Ready } from './serve.ts'
import type { UpValues } from './settings.ts'
import { Usage } from './usage.ts'

/** What the child is told on its standard input: the options stay off the process list, for they may hold passwords. */
export interface Errand { values: UpValues, seedImage?: string }

type Told = { say: string } | { ready: Ready } | { failed: string }

/** In the child: reads the errand, and answers how to tell the parent. A parent that went away is no reason to stop. */
export async function receiveErrand(): Promise<{ errand: Errand, tell(told: Told): void, done(): void }> {
  const errand = JSON.parse(await text(process.stdin)) as Errand
  let open = true
  return {
    errand,
    tell(told) { if (open) try { writeSync(3, `${JSON.stringify(told)}\n`) } catch { open = false } },
    done() { if (open) closeSync(3); open = false },
  }
}

/** In the parent: starts the child and waits until it is ready. Throws a Usage with the child's own words. */
export async function detach(errand: Errand, outputFile: string, say: (line: string) => void): Promise<Ready> {
  // What the runtime itself prints (a crash's last words) goes here; the log proper is the child's own.
  const output = openSync(outputFile, 'a', 0o600)
  const from = (await open(outputFile).then(async (f) => { const { size } = await f.stat(); await f.close(); return size }))
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, 'up', '--tell', '3'], { detached: true, cwd: '/', stdio: ['pipe', output, output, 'pipe'] })
  closeSync(output)
  child.stdin!.on('error', () => {})
  child.stdin!.end(JSON.stringify(errand))
  // Ctrl-C while waiting: what was begun is taken back by the child itself.
  const interrupted = (): void => { child.kill('SIGTERM') }
  process.once('SIGINT', interrupted)
  try {
    let answer: Ready | Usage | undefined
    const ended = new Promise<string>((resolve, reject) => { child.once('error', reject); child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`)) })
    const lines = createInterface({ input: child.stdio[3] as Readable })
    for await (const line of lines) {
      const told = JSON.parse(line) as Told
      if ('say' in told) say(told.say)
      else answer = 'ready' in told ? told.ready : new Usage(told.failed)
    }
    if (answer instanceof Usage) { await ended; throw answer }
    if (answer) { child.unref(); return answer }
    const how = await ended
    const handle = await open(outputFile)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4000), 0, 4000, from)
    await handle.close()
    throw new Usage(`the control plane ended (${how}) before it was ready. It said:\n${buffer.subarray(0, bytesRead).toString().trim() || `nothing; see ${outputFile}`}`)
  } finally {
    process.off('SIGINT', interrupted)
  }
}
