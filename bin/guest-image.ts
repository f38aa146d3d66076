// The small bootable image a new cloud is given: built once a checkout, from Debian's own packages.
import { spawn } from 'node:child_process'
import { access, constants, mkdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { Usage } from './usage.ts'

const checkout = join(import.meta.dirname, '..')
const script = join(checkout, 'tools/guest-image/build.sh')

/** Beside the checkout's other fetched things, for all state directories; in the cloud's own where the checkout is somebody else's. */
async function imageDir(stateDir: string): Promise<string> {
  const shared = join(checkout, '.pileus')
  const ours = await mkdir(shared, { recursive: true }).then(() => access(shared, constants.W_OK)).then(() => true, () => false)
  return ours ? join(shared, 'guest-image') : join(stateDir, 'guest-image')
}

/** Builds the image unless it is there and up to date; answers its path. */
export async function guestImage(stateDir: string, { install, say }: { install: boolean, say: (line: string) => void }): Promise<string> {
  const dir = await imageDir(stateDir), path = join(dir, 'pileus-guest.qcow2')
  if (await access(path).then(() => false, () => true)) {
    if (!install) throw new Usage(`--no-install was given, and missing is the guest image: ${script} ${dir} builds it from packages it downloads (and does not install)`)
    say('building the guest image from Debian\'s kernel, busybox and dropbear; this takes a minute')
  }
  const child = spawn('bash', [script, dir], { stdio: ['ignore', 'ignore', 'pipe'] })
  const lines: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line)
    if (!/up to date/.test(line)) say(line)
  })
  const code = await new Promise<number | null>((resolve, reject) => { child.once('error', reject); child.once('close', resolve) })
  if (code !== 0) throw new Usage(`the guest image could not be built${lines.length > 0 ? `: ${lines.at(-1)!.replace(/^guest image: /, '')}` : ''}\nWhen that is mended, run ./pileus up again.`)
  return path
}
