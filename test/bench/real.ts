// `--real`: from POST /servers until ACTIVE with QEMU guests and real networks, beside what QEMU alone takes until it answers on its monitor. Needs root.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { waitFor } from '#base/retry.ts'
import { http, start } from './measure.ts'

const boots = 8
const middle = (list: number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!

/** Milliseconds until a QEMU of the guests' kind answers on its monitor that it runs. */
async function bareQemu(): Promise<number> {
  const t0 = performance.now()
  const child = spawn('qemu-system-x86_64', ['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'q35', '-accel', 'tcg,tb-size=64', '-cpu', 'Nehalem', '-m', '512M', '-qmp', 'stdio'], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.write('{"execute":"qmp_capabilities"}{"execute":"query-status"}')
  let said = ''
  for await (const chunk of child.stdout) if ((said += String(chunk)).includes('"running": true')) break
  const ms = performance.now() - t0
  child.kill('SIGKILL')
  return ms
}

export async function realBoots(row: (name: string, ours: string, more?: string) => void, script: string, dir: string, cache: string): Promise<void> {
  if (process.getuid?.() !== 0) return row('real boot', 'not run', 'needs root')
  const server = await start(script, { stateDir: dir, driver: 'qemu', cloudId: `b${randomBytes(2).toString('hex').slice(0, 3)}`, qemu: { accel: 'tcg' }, external: { cidr: '172.24.9.0/24', gateway: '172.24.9.1' } }, cache)
  try {
    const { headers } = await http(server.url, 'POST', '/identity/v3/auth/tokens', undefined, { auth: {
      identity: { methods: ['password'], password: { user: { name: 'demo', domain: { id: 'default' }, password: 'bench' } } }, scope: { project: { name: 'demo', domain: { id: 'default' } } } } })
    const call = (method: string, path: string, body?: unknown): ReturnType<typeof http> => http(server.url, method, path, String(headers['x-subject-token']), body)
    const { images: [image] } = (await call('GET', '/image/v2/images')).body, { networks } = (await call('GET', '/network/v2.0/networks?router:external=false')).body
    const until = (id: string, done: (reply: Awaited<ReturnType<typeof http>>) => boolean): Promise<true> => waitFor(`server ${id}`, async () => {
      const reply = await call('GET', `/compute/v2.1/servers/${id}`)
      if (reply.body.server?.status === 'ERROR') throw new Error(JSON.stringify(reply.body.server.fault))
      return done(reply) || undefined
    }, 60_000, 5)
    const ours: number[] = [], bare: number[] = []
    for (let i = 0; i < boots; i++) {
      bare.push(await bareQemu())
      const t0 = performance.now()
      const { body } = await call('POST', '/compute/v2.1/servers', { server: { name: 'bench', imageRef: image.id, flavorRef: '1', networks: [{ uuid: networks[0].id }] } })
      await until(body.server.id, (reply) => reply.body.server.status === 'ACTIVE')
      ours.push(performance.now() - t0)
      await call('DELETE', `/compute/v2.1/servers/${body.server.id}`)
      await until(body.server.id, (reply) => reply.status === 404)
    }
    const first = ours.shift()!
    row('real boot → ACTIVE', `${middle(ours).toFixed(0)} ms`, `bare QEMU ${middle(bare).toFixed(0)} ms: ${(middle(ours) - middle(bare)).toFixed(0)} ms above; the first, with its network's making, ${first.toFixed(0)} ms`)
  } finally {
    await server.stop()
  }
}
