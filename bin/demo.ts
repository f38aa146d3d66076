// The demonstration: one server's whole life through the public API, as its user sees it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '#base/retry.ts'
import type { Api } from './api-client.ts'
import { runIn, waitForLogin } from './ssh.ts'
import { Usage } from './usage.ts'

export interface DemoOptions {
  /** False: nothing runs in a pretended guest, so nobody logs in. */
  real: boolean
  say(line: string): void
  /** A guest under emulation needs its time. */
  timeoutMs: number
  /** Ends the waiting; what was made goes all the same. */
  signal: AbortSignal
}

/** What the demonstration made, in the order it was made. */
interface Made { what: string, remove(): Promise<unknown>, isGone(): Promise<boolean> }

const name = 'pileus-demo'

/** Throws a Usage that says what failed; what was made is removed in any case. Answers what is left, which should be nothing. */
export async function demonstrate(api: Api, admin: Api, { real, say, timeoutMs, signal }: DemoOptions): Promise<string[]> {
  const made: Made[] = []
  const dir = await mkdtemp(join(tmpdir(), 'pileus-demo-'))
  const made404 = (what: string, service: string, path: string): void => {
    made.push({ what, remove: () => api.call(service, 'DELETE', path, undefined, { allow: [404] }), isGone: async () => (await api.call(service, 'GET', path, undefined, { allow: [404] })).status === 404 })
  }
  try {
    const keypair = (await api.call<{ keypair: { private_key: string, name: string } }>('compute', 'POST', '/os-keypairs', { keypair: { name: `${name}-${process.pid}` } })).body.keypair
    made404('keypair', 'compute', `/os-keypairs/${keypair.name}`)
    const keyFile = join(dir, 'key')
    await writeFile(keyFile, keypair.private_key, { mode: 0o600 })

    const group = (await api.call<{ security_group: { id: string } }>('network', 'POST', '/security-groups', { security_group: { name, description: 'ssh and ping for the demonstration' } })).body.security_group
    made404('security group', 'network', `/security-groups/${group.id}`)
    for (const rule of [{ protocol: 'tcp', port_range_min: 22, port_range_max: 22 }, { protocol: 'icmp' }]) {
      await api.call('network', 'POST', '/security-group-rules', { security_group_rule: { security_group_id: group.id, direction: 'ingress', ethertype: 'IPv4', ...rule } })
    }

    const portsOf = (id: string): Promise<{ id: string }[]> => api.call<{ ports: { id: string }[] }>('network', 'GET', `/ports?device_id=${id}`).then((reply) => reply.body.ports)
    const serverId = await bootServer(api, keypair.name, timeoutMs, signal, say, (id) => {
      // These two go with the server, so they are looked for after it.
      made.push({ what: 'allocation', remove: async () => {}, isGone: async () => Object.keys((await admin.call<{ allocations: object }>('placement', 'GET', `/allocations/${id}`)).body.allocations).length === 0 })
      made.push({ what: 'port', remove: async () => {}, isGone: async () => (await portsOf(id)).length === 0 })
      made404('server', 'compute', `/servers/${id}`)
    })

    const port = (await portsOf(serverId))[0]!
    await api.call('network', 'PUT', `/ports/${port.id}`, { port: { security_groups: [group.id] } })
    const external = (await api.call<{ networks: { id: string }[] }>('network', 'GET', '/networks?router:external=True')).body.networks[0]
    if (!external) throw new Usage('the cloud has no external network')
    const floating = (await api.call<{ floatingip: { id: string, floating_ip_address: string } }>('network', 'POST', '/floatingips', { floatingip: { floating_network_id: external.id, port_id: port.id } })).body.floatingip
    made404('floating IP', 'network', `/floatingips/${floating.id}`)
    say(`floating IP ${floating.floating_ip_address}`)

    if (real) {
      const from = performance.now()
      say('waiting until it lets us in by ssh')
      const guest = { address: floating.floating_ip_address, user: 'debian', keyFile }
      await waitForLogin(guest, timeoutMs, signal).catch(async (error: unknown) => {
        signal.throwIfAborted()
        const { output } = (await api.call<{ output: string }>('compute', 'POST', `/servers/${serverId}/action`, { 'os-getConsoleOutput': { length: 15 } })).body
        say(`its console says:\n${output.trimEnd().split('\n').map((line) => `    ${line}`).join('\n')}`)
        throw error
      })
      say(`logged in ${((performance.now() - from) / 1000).toFixed(1)} s later; in the server:`)
      const command = 'uname -srn; id -un; ip -4 -o addr show eth0; uptime'
      say(`  $ ${command}\n${(await runIn(guest, command)).trimEnd().split('\n').map((line) => `    ${line.replaceAll(/\s+/g, ' ')}`).join('\n')}`)
    } else {
      say('(a pretended guest: nobody can log in to it)')
    }
    say(`\nIts trace, the 28 steps from the request to the running guest:\n\n${traceTable((await api.call<{ trace: Trace }>('compute', 'GET', `/servers/${serverId}/trace`)).body.trace)}`)
  } finally {
    await rm(dir, { recursive: true, force: true })
    say('deleting it all')
    // Last made, first removed; what fails to go is told below.
    for (const it of made.toReversed()) {
      await it.remove().catch(() => {})
      await waitFor(it.what, async () => await it.isGone().catch(() => false) || undefined, 60_000).catch(() => {})
    }
  }
  const left: string[] = []
  for (const it of made) if (!await it.isGone()) left.push(it.what)
  return left
}

async function bootServer(api: Api, keyName: string, timeoutMs: number, signal: AbortSignal, say: (line: string) => void, asked: (id: string) => void): Promise<string> {
  const only = async (service: string, path: string, list: string): Promise<string> => {
    const found = (await api.call<Record<string, { id: string }[]>>(service, 'GET', path)).body[list]?.[0]
    if (!found) throw new Usage(`nothing stands at ${path} of ${service}; was the cloud's seed removed?`)
    return found.id
  }
  const imageRef = await only('image', '/images?name=pileus-guest', 'images')
  const network = await only('network', `/networks?name=private&project_id=${api.projectId}`, 'networks')
  const flavors = (await api.call<{ flavors: { id: string, name: string }[] }>('compute', 'GET', '/flavors')).body.flavors
  const flavorRef = flavors.find((f) => f.name === 'm1.tiny')?.id
  if (flavorRef === undefined) throw new Usage('there is no flavor m1.tiny')
  say('creating a server: m1.tiny, image pileus-guest, network private')
  const from = performance.now()
  const { id } = (await api.call<{ server: { id: string } }>('compute', 'POST', '/servers', { server: { name, imageRef, flavorRef, networks: [{ uuid: network }], key_name: keyName } })).body.server
  asked(id)
  const server = await waitFor('the server', async () => {
    signal.throwIfAborted()
    const { server } = (await api.call<{ server: { status: string, fault?: { message: string }, addresses: Record<string, { addr: string }[]> } }>('compute', 'GET', `/servers/${id}`)).body
    return server.status === 'BUILD' ? undefined : server
  }, timeoutMs, 20)
  if (server.status !== 'ACTIVE') throw new Usage(`the server is in ${server.status}: ${server.fault?.message ?? 'no fault is told'}`)
  say(`${id} is ACTIVE after ${((performance.now() - from) / 1000).toFixed(2)} s, at ${Object.values(server.addresses).flat().map((a) => a.addr).join(', ')}`)
  return id
}

interface Trace { steps: { step: number, title: string, started_at?: string, took_ms?: number, merged_into?: number, missing?: boolean }[] }

/** A line a step: when it began after the request, how long it took. */
export function traceTable({ steps }: Trace): string {
  // The token is older than the request; its steps count from its own beginning.
  const request = steps.find((s) => s.step === 3)?.started_at
  const at = (started?: string): string => started === undefined || request === undefined ? '' : Date.parse(started) < Date.parse(request) ? 'before' : String(Date.parse(started) - Date.parse(request))
  return [
    ' step  at ms   took ms  what', ...steps.map((s) => `  ${String(s.step).padStart(3)}${at(s.started_at).padStart(7)}  ${(s.merged_into !== undefined ? '' : s.took_ms?.toFixed(1) ?? '').padStart(8)}  ${s.title}${s.merged_into !== undefined ? ` (merged into ${s.merged_into})` : s.missing ? ' (not seen)' : ''}`),
  ].join('\n') + '\n'
}
