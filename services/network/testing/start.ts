// Network alone, over real HTTP. Casts are noted; with `agents` they also go to agents over a real in-process bus.
import type { Actor, Context } from '#base/context.ts'
import { plainContext } from '#base/context.ts'
import { openBus, type Bus } from '#kit/bus/bus.ts'
import { busMigrations } from '#kit/bus/store.ts'
import { startApi, type TestApi } from '#kit/testing/api.ts'
import type { StoreConfig } from '#kit/store/store.ts'
import type { Touched } from '../bus.ts'
import { defaultConfig, quotaResources, type Deps, type NetworkConfig } from '../deps.ts'
import { network } from '../service.ts'
import { serveAgents } from '../wanted/serve.ts'

export interface TestNetwork extends TestApi {
  deps: Deps
  bus: Bus
  /** What agents were told, in order. */
  woken: { host: string, touched: Touched }[]
  /** A context of one of our own services, in a project's name. */
  as(service: string, projectId?: string, roles?: string[]): Context
}

const unlimited = Object.fromEntries(quotaResources.map((resource) => [resource, -1])) as NetworkConfig['quotas']

export interface NetworkSetup { config?: Partial<NetworkConfig>, actors?: Record<string, Actor>, agents?: boolean, database?: StoreConfig }

export async function startNetwork({ config = {}, actors, agents = false, database }: NetworkSetup = {}): Promise<TestNetwork> {
  const woken: TestNetwork['woken'] = []
  let deps: Deps, bus: Bus
  const api = await startApi({
    ...(actors && { actors }), ...(database && { database }), migrations: [{ area: 'kit.bus', migrations: busMigrations }],
    services: [{
      module: network,
      deps: async ({ store }): Promise<Deps> => {
        bus = await openBus({ transport: 'local', store, owner: 'test', retry: { attempts: 4, firstMs: 5, maxMs: 20 } })
        const cast: Deps['bus']['cast'] = async (tx, ctx, contract, name, message, options) => {
          woken.push({ host: options?.target ?? '', touched: message as Touched })
          if (agents) await bus.cast(tx, ctx, contract, name, message, options)
        }
        return deps = { store: store.as(), bus: { cast }, config: { ...defaultConfig, networkHost: 'net-1', quotas: unlimited, ...config } }
      },
    }],
  })
  const stop = await serveAgents(deps!, bus!)
  return {
    ...api, deps: deps!, bus: bus!, woken,
    async close() { await stop(); await bus.close(); await api.close() },
    as: (service, projectId, roles = ['member', 'reader']) => plainContext({ actor: { service, userId: 'user', ...(projectId !== undefined && { projectId }), roles } }),
  }
}
