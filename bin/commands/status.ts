// `status`: does it run, and is everything well?
import { ask } from '../control.ts'
import { guestsLeft } from '../host-state.ts'
import { defaultStateDir, findRunning, findStateDir } from '../state-dir.ts'
import type { CloudStatus } from '../status-report.ts'
import { options } from '../usage.ts'

const help = `Usage: ./pileus status [--json] [--state-dir DIR]

Tells whether the cloud runs, and what needs an operator's eye. Ends with 0 when it runs, 3 when it does not.

  --json           one JSON object
  --state-dir DIR  the cloud (${defaultStateDir()})
`

export async function run(args: string[]): Promise<number> {
  const values = options(args, { 'json': { type: 'boolean' }, 'state-dir': { type: 'string' } }, help)
  if (!values) return 0
  const { path, identity } = await findStateDir(values['state-dir'] ?? defaultStateDir())
  const running = await findRunning(path)
  const print = (value: object, human: string): void => { process.stdout.write(values.json ? `${JSON.stringify(value, undefined, 2)}\n` : human) }
  if (!running) {
    const guests = (await guestsLeft(path, identity).catch(() => undefined))?.filter((g) => g.power === 'running' || g.power === 'paused').length
    print({ running: false, state_dir: path, cloud_id: identity.id, driver: identity.driver, ...(guests !== undefined && { guests_running: guests }) },
      `The cloud in ${path} (${identity.id}) does not run.${guests ? ` ${guests} of its guests do.` : ''}\nStart it with ./pileus up.\n`)
    return 3
  }
  if (running.state === 'starting') {
    print({ running: true, state: 'starting', pid: running.pid, state_dir: path }, `The cloud in ${path} is starting (pid ${running.pid}, since ${running.startedAt}).\n`)
    return 0
  }
  const status = await ask<CloudStatus>(path, 'GET', '/status', 10_000)
  print({ running: true, state: 'up', operator_url: running.operatorUrl, ...status }, human(status, running.operatorUrl))
  return 0
}

const counts = (of: Record<string, number>): string => Object.entries(of).filter(([, n]) => n > 0).map(([name, n]) => `${n} ${name}`).join(', ') || 'none'

function human(s: CloudStatus, operatorUrl: string): string {
  const down = s.hosts.filter((h) => !h.up)
  const lines = [
    `Pileus runs: ${s.url}   (${s.driver}, cloud ${s.cloud_id}, pid ${s.pid}, since ${s.started_at})`, '',
    `  hosts         ${s.hosts.length - down.length} up${down.length > 0 ? `, ${down.length} down: ${down.slice(0, 10).map((h) => h.name).join(', ')}` : ''}`,
    `  servers       ${counts(s.servers)}`,
    `  sagas         ${counts(s.sagas)}`,
    `  messages      ${s.outbox} waiting, ${s.dead_letters} given up on`,
    `  memory        ${Math.round(s.memory_bytes / 1024 ** 2)} MiB`,
    `  state         ${s.state_dir}`,
    `  operator      ${operatorUrl}`,
  ]
  if (s.stuck.length > 0) lines.push('', 'Stuck, an operator must look:', ...s.stuck.map((saga) => `  ${saga.name} of ${saga.resourceId}, since ${saga.startedAt}: ${saga.trouble ? `${saga.trouble.step}: ${saga.trouble.message}` : 'no reason known'}`))
  if (s.stuck.length > 0 || s.dead_letters > 0) lines.push('', 'When the cause is mended, ./pileus repair tries them again.')
  return `${lines.join('\n')}\n`
}
