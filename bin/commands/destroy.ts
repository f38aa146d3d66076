// `destroy`: the cloud goes, with everything it made on this host; as if it had never been.
import { createInterface } from 'node:readline/promises'
import { plainContext, silentLog } from '#base/context.ts'
import { removeTree } from '#host/files.ts'
import { stopControlPlane } from '../control.ts'
import { removeGuests } from '../guests.ts'
import { openDriversOf } from '../host-state.ts'
import { defaultStateDir, findRunning, findStateDir, lock } from '../state-dir.ts'
import { options, Usage } from '../usage.ts'

const help = `Usage: ./pileus destroy [--yes] [--state-dir DIR]

Removes the cloud: its guests and their disks, its images, its database, its networks, its secrets. Nothing of it stays.

  --yes            do not ask
  --state-dir DIR  the cloud (${defaultStateDir()})
`

const say = (line: string): void => { process.stdout.write(`${line}\n`) }

export async function run(args: string[]): Promise<number> {
  const values = options(args, { 'yes': { type: 'boolean' }, 'state-dir': { type: 'string' } }, help)
  if (!values) return 0
  const { path, identity } = await findStateDir(values['state-dir'] ?? defaultStateDir())
  if (!values.yes && !await agreed(path)) { say('nothing was done'); return 1 }
  if (identity.driver === 'qemu' && process.getuid?.() !== 0) throw new Usage('its guests and networks are root\'s: sudo ./pileus destroy')
  const running = await findRunning(path)
  if (running) await stopControlPlane(path, running, say)
  // From here on nobody may start it again.
  const held = await lock(path)
  if (!held) throw new Usage(`somebody starts the cloud in ${path} at this moment; try again`)
  const drivers = await openDriversOf(path, identity)
  const guests = await removeGuests(drivers.hypervisor, silentLog)
  await drivers.network.removeAll(plainContext({ log: silentLog }))
  await drivers.close()
  await removeTree(path)
  say(`the cloud in ${path} is gone${guests > 0 ? `, with ${guests} ${guests === 1 ? 'guest' : 'guests'}` : ''}`)
  held.close()
  return 0
}

async function agreed(path: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Usage('there is nobody to ask: give --yes')
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await asking.question(`Remove the cloud in ${path} with all its servers, images and networks? [y/N] `)).trim())
  } finally {
    asking.close()
  }
}
