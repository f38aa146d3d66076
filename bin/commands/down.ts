// `down`: the control plane ends, guests go on; or end too.
import { silentLog } from '#base/context.ts'
import { ask, stopControlPlane } from '../control.ts'
import { stopGuests, type Stopped } from '../guests.ts'
import { openDriversOf } from '../host-state.ts'
import { defaultStateDir, findRunning, findStateDir } from '../state-dir.ts'
import { options } from '../usage.ts'

const help = `Usage: ./pileus down [--guests] [--state-dir DIR]

Stops the control plane. Guests go on running, and the next \`up\` adopts them.

  --guests         shut the guests down too, first by their power button
  --state-dir DIR  the cloud (${defaultStateDir()})
`

const say = (line: string): void => { process.stdout.write(`${line}\n`) }
const graceMs = 60_000

export async function run(args: string[]): Promise<number> {
  const values = options(args, { 'guests': { type: 'boolean' }, 'state-dir': { type: 'string' } }, help)
  if (!values) return 0
  const { path, identity } = await findStateDir(values['state-dir'] ?? defaultStateDir())
  const running = await findRunning(path)
  let code = 0
  if (values.guests) {
    const { stopped, failed } = running ? await ask<Stopped>(path, 'POST', '/stop-guests', 4 * graceMs) : await stopWithoutControlPlane()
    say(`${stopped.length} ${stopped.length === 1 ? 'guest was' : 'guests were'} shut down`)
    for (const { id, error } of failed) say(`${id} could not be shut down: ${error}`)
    if (failed.length > 0) code = 1
  }
  if (running) await stopControlPlane(path, running, say)
  say(running ? `the control plane of ${path} is stopped${values.guests ? '' : '; guests go on, and ./pileus up adopts them'}` : `the control plane of ${path} does not run`)
  return code

  async function stopWithoutControlPlane(): Promise<Stopped> {
    const drivers = await openDriversOf(path, identity)
    try {
      return await stopGuests([drivers.hypervisor], graceMs, silentLog)
    } finally {
      await drivers.close()
    }
  }
}
