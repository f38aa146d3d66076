// `demo`: boots a server in the running cloud, logs in to it, shows each step of its making, and deletes it all.
import { join } from 'node:path'
import { login } from '../api-client.ts'
import { demonstrate } from '../demo.ts'
import { demoNeeds, ensurePackages } from '../packages.ts'
import { defaultStateDir, findRunning, findStateDir } from '../state-dir.ts'
import { options, Usage } from '../usage.ts'

const help = `Usage: ./pileus demo [--state-dir DIR]

Boots a server in the running cloud, waits until it lets us in by ssh, runs a command in it through its floating IP, prints the trace of its making
(28 steps with their times), deletes everything again and shows that nothing is left.

  --state-dir DIR  the cloud (${defaultStateDir()})
  --no-install     install nothing; list what is missing
`

const say = (line: string): void => { process.stdout.write(`${line}\n`) }

export async function run(args: string[]): Promise<number> {
  const values = options(args, { 'state-dir': { type: 'string' } }, help)
  if (!values) return 0
  const { path, identity } = await findStateDir(values['state-dir'] ?? defaultStateDir())
  if ((await findRunning(path))?.state !== 'up') throw new Usage(`the cloud in ${path} does not run; start it with ./pileus up --detach`)
  const real = identity.driver === 'qemu'
  if (real) await ensurePackages(demoNeeds, { install: !values['no-install'], say })
  const cloudsYaml = join(path, 'clouds.yaml')
  const left = await demonstrate(await login(cloudsYaml, 'pileus'), await login(cloudsYaml, 'pileus-admin'), { real, say, timeoutMs: 600_000, signal: interrupted() })
  say(left.length === 0 ? 'nothing is left: no server, port, floating IP, security group, keypair or allocation of it' : `left over: ${left.join(', ')}`)
  return left.length === 0 ? 0 : 1
}

/** Ctrl-C ends the waiting; what was made is deleted all the same. A second one ends that too. */
function interrupted(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort(new Usage('interrupted')))
  return controller.signal
}
