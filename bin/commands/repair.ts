// `repair`: what is stuck goes on, what was given up on is tried again.
import { ask } from '../control.ts'
import type { Repaired } from '../repair.ts'
import { defaultStateDir, findRunning, findStateDir } from '../state-dir.ts'
import { options, Usage } from '../usage.ts'

const help = `Usage: ./pileus repair [--json] [--state-dir DIR]

Lets stuck sagas go on where they stood, and sends the messages again that were given up on. Mend the cause first: ./pileus status names it.
It can be repeated; whatever still fails gets stuck again.

  --json           one JSON object
  --state-dir DIR  the cloud (${defaultStateDir()})

Example:
  ./pileus status && ./pileus repair && ./pileus status
`

export async function run(args: string[]): Promise<number> {
  const values = options(args, { 'json': { type: 'boolean' }, 'state-dir': { type: 'string' } }, help)
  if (!values) return 0
  const { path } = await findStateDir(values['state-dir'] ?? defaultStateDir())
  if (!await findRunning(path)) throw new Usage(`the cloud in ${path} does not run; start it with ./pileus up`, 3)
  const done = await ask<Repaired>(path, 'POST', '/repair', 60_000)
  process.stdout.write(values.json ? `${JSON.stringify(done, undefined, 2)}\n` : [
    ...done.sagas.map((saga) => `${saga.name} of ${saga.resourceId} goes on`),
    ...done.messages.map((message) => `a message to ${message.address} is sent again`),
    ...done.refused.map((one) => `${one.id} could not be begun again: ${one.why}`),
    ...(done.sagas.length + done.messages.length + done.refused.length === 0 ? ['Nothing is stuck, and no message was given up on.'] : []), '',
  ].join('\n'))
  return done.refused.length > 0 ? 1 : 0
}
