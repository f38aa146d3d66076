// Compute alone for its tests: image and network are small fakes behind real service clients, the lifecycle does at once what agents do later.
import { notFound } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import type { ServiceClient } from '#kit/http/client.ts'
import { operationsOf } from '#kit/http/operation.ts'
import { Type } from '#kit/http/schema.ts'
import { authenticated } from '#kit/policy/rules.ts'
import type { ServiceModule } from '#kit/service.ts'
import type { StoreConfig } from '#kit/store/store.ts'
import { startApi, type TestApi } from '#kit/testing/api.ts'
import { traceMigrations } from '#kit/trace/store.ts'
import { bury } from '../conductor/bury.ts'
import { move, planNics } from '../conductor/servers-store.ts'
import type { Deps } from '../deps.ts'
import type { BuildPlan, Lifecycle } from '../lifecycle.ts'
import type { DescribedPort } from '../servers/networks.ts'
import { powerMoves } from '../servers/state.ts'
import { compute } from '../service.ts'

export interface FakeWorld {
  images: { id: string, name: string, status: string, container_format?: string, min_ram: number, min_disk: number, size: number | null }[]
  networks: { id: string, name: string, subnets: string[], shared: boolean, 'router:external': boolean, project_id: string, admin_state_up: boolean }[]
  ports: (DescribedPort & { project_id: string })[]
  securityGroups: { id: string, name: string, description: string, project_id: string, security_group_rules: never[] }[]
  plans: BuildPlan[]
  /** Builds stay in BUILD. */
  hold: boolean
}

const operation = operationsOf<FakeWorld>()
const envelope = (f: { message: string }): object => ({ message: f.message })
const any = Type.Unsafe<any>({})

const image: ServiceModule<FakeWorld> = { migrations: [], access: async () => [], http: { name: 'image', mount: '/image', prefixes: ['/v2'], envelope, operations: [
  operation({ name: 'listImages', method: 'GET', path: '/images', summary: '', access: authenticated, query: any, handle: async (_c, _i, w) => ({ images: w.images }) }),
  operation({ name: 'showImage', method: 'GET', path: '/images/{image_id}', summary: '', access: authenticated, async handle(_c, { params }, w) {
    const found = w.images.find((i) => i.id === params.image_id)
    if (!found) throw notFound('no such image')
    return found
  } }),
] } }

const network: ServiceModule<FakeWorld> = { migrations: [], access: async () => [], http: { name: 'network', mount: '/network', prefixes: ['/v2.0'], envelope, operations: [
  operation({ name: 'listNetworks', method: 'GET', path: '/networks', summary: '', access: authenticated, query: any, handle: async (ctx, { query }, w) => ({
    networks: w.networks.filter((n) => (n.project_id === ctx.actor.projectId || n.shared || n['router:external'] || ctx.actor.roles.includes('admin')) && (!query.id || query.id.includes(n.id))),
  }) }),
  operation({ name: 'showPort', method: 'GET', path: '/ports/{port_id}', summary: '', access: authenticated, async handle(ctx, { params }, w) {
    const port = w.ports.find((p) => p.id === params.port_id && p.project_id === ctx.actor.projectId)
    if (!port) throw notFound('no such port')
    return { port }
  } }),
  operation({ name: 'listPorts', method: 'GET', path: '/ports', summary: '', access: authenticated, query: any, handle: async (_c, { query }, w) => ({
    ports: w.ports.filter((p) => (!query.network_id || query.network_id.includes(p.network_id)) && (!query.fixed_ips || p.fixed_ips.some((ip) => query.fixed_ips.includes(`ip_address=${ip.ip_address}`)))),
  }) }),
  operation({ name: 'updatePort', method: 'PUT', path: '/ports/{port_id}', summary: '', access: authenticated, body: any, async handle(_c, { params, body }, w) {
    const port = w.ports.find((p) => p.id === params.port_id)!
    port.security_groups = body.port.security_groups.map((id: string) => w.securityGroups.find((g) => g.id === id)!)
    return { port }
  } }),
  operation({ name: 'listSecurityGroups', method: 'GET', path: '/security-groups', summary: '', access: authenticated, query: any, handle: async (_c, { query }, w) => ({
    security_groups: w.securityGroups.filter((g) => (!query.project_id || query.project_id.includes(g.project_id)) && (!query.id || query.id.includes(g.id))),
  }) }),
  operation({ name: 'describePorts', method: 'POST', path: '/internal/describe-ports', summary: '', access: authenticated, internal: true, body: any, maxBodyBytes: 1e7, handle: async (_c, { body }, w) => {
    const wanted = new Set(body.device_ids)
    return { ports: w.ports.filter((p) => wanted.has(p.device_id)) }
  } }),
] } }

/** Guests that obey at once. */
function instantLifecycle(world: FakeWorld): Lifecycle {
  return {
    async build(tx, _ctx, plan) {
      world.plans.push(plan)
      await planNics(tx, plan.serverId, plan.nics)
      if (world.hold) return
      await move(tx, { id: plan.serverId, generation: 0 }, { vmState: 'active', taskState: null, host: 'host-1', node: 'host-1', launchedAt: now(), progress: 100 })
    },
    remove: (tx, _ctx, server) => bury(tx, server.id),
    power: (tx, _ctx, server, action) => move(tx, server, { vmState: powerMoves[action].to, taskState: null }),
    consoleLog: async (_ctx, _server, lines) => ['one', 'two', 'three'].slice(lines === undefined ? 0 : -lines).join('\n'),
  }
}

export interface ComputeTest extends TestApi {
  world: FakeWorld
  deps: Deps
  /** How often compute asked image or network for something. */
  asked(): number
}

export async function startCompute(database?: StoreConfig): Promise<ComputeTest> {
  const projectId = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
  const world: FakeWorld = {
    images: [{ id: newId(), name: 'tiny', status: 'active', container_format: 'bare', min_ram: 0, min_disk: 0, size: 1_000_000 }],
    networks: [], ports: [], securityGroups: [{ id: newId(), name: 'default', description: 'Default', project_id: projectId, security_group_rules: [] }], plans: [], hold: false,
  }
  let deps!: Deps, asked = 0
  const counted = (client: ServiceClient): ServiceClient => ({ ...client, call: (...args: Parameters<ServiceClient['call']>) => { asked++; return client.call(...args) as never } })
  const api = await startApi({ database, migrations: [{ area: 'trace', migrations: traceMigrations }], services: [
    { module: image, deps: () => world }, { module: network, deps: () => world },
    { module: compute, deps: (parts) => (deps = { store: parts.store.as(), image: counted(parts.client('image')), network: counted(parts.client('network')), lifecycle: instantLifecycle(world), tracer: parts.tracer }) },
  ] })
  return { ...api, world, deps, asked: () => asked }
}
