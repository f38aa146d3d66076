// `keys rotate`: new keys for tokens and for what is sealed at rest.
import { ask } from '../control.ts'
import type { RotatedKeys } from '../keys.ts'
import { defaultStateDir, findRunning, findStateDir } from '../state-dir.ts'
import { options, Usage } from '../usage.ts'

const help = `Usage: ./pileus keys rotate [--end-tokens] [--json] [--state-dir DIR]

Makes a new key for tokens and one for credentials. Nobody is logged out: a key is kept for as long as a token under it may live, and every credential is sealed anew. All
control planes of the same database use the new keys within a minute. Safe to run again, and by a timer (once a day, say).

  --end-tokens     forget every older key of tokens at once (other control planes within ten seconds), when one may have been seen by others: everybody must log in again
  --json           one JSON object
  --state-dir DIR  the cloud (${defaultStateDir()})
`

export async function run([verb, ...args]: string[]): Promise<number> {
  if (verb === undefined || verb.startsWith('-')) {
    if (verb === '--help' || verb === '-h') { process.stdout.write(help); return 0 }
    throw new Usage(`what shall be done with the keys?\n\n${help}`, 2)
  }
  if (verb !== 'rotate') throw new Usage(`keys can be rotated; there is no "keys ${verb}"\n\n${help}`, 2)
  const values = options(args, { 'end-tokens': { type: 'boolean' }, 'json': { type: 'boolean' }, 'state-dir': { type: 'string' } }, help)
  if (!values) return 0
  const { path } = await findStateDir(values['state-dir'] ?? defaultStateDir())
  if (!await findRunning(path)) throw new Usage(`the cloud in ${path} does not run; start it with ./pileus up`, 3)
  const done = await ask<RotatedKeys>(path, 'POST', values['end-tokens'] ? '/end-tokens' : '/rotate-keys', 600_000)
  process.stdout.write(values.json ? `${JSON.stringify(done, undefined, 2)}\n`
    : `Tokens: key ${done.tokens.number} is new, ${done.tokens.kept} older are kept, ${done.tokens.forgotten} forgotten.\nCredentials: key ${done.credentials.number} is new, ${done.credentials.resealed} were sealed anew.\n`)
  return 0
}
