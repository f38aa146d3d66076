// Network alone, over real HTTP, with a bus whose casts are only noted.
import type { Actor, Context } from '#base/context.ts'
import { plainContext } from '#base/context.ts'
import { startApi, type TestApi } from '#kit/testing/api.ts'
import type { Touched } from '../bus.ts'
import { defaultConfig, type Deps, type NetworkConfig } from '../deps.ts'
import { network } from '../service.ts'

export interface TestNetwork extends TestApi {
  deps: Deps
  /** What agents were told, in order. */
  woken: { host: string, touched: Touched }[]
  /** A context of one of our own services, in a project's name. */
  as(service: string, projectId?: string, roles?: string[]): Context
}

export async function startNetwork(config: Partial<NetworkConfig> = {}, actors?: Record<string, Actor>): Promise<TestNetwork> {
  const woken: TestNetwork['woken'] = []
  let deps: Deps
  const api = await startApi({
    ...(actors && { actors }),
    services: [{
      module: network,
      deps: ({ store }): Deps => deps = {
        store: store.as(), config: { ...defaultConfig, networkHost: 'net-1', quotas: { ...defaultConfig.quotas, network: -1, subnet: -1, router: -1, floatingip: -1, security_group: -1, security_group_rule: -1, port: -1 }, ...config },
        bus: { cast: async (_tx, _ctx, _contract, _name, message, options) => { woken.push({ host: options?.target ?? '', touched: message as Touched }) } },
      },
    }],
  })
  return { ...api, deps: deps!, woken, as: (service, projectId, roles = ['member', 'reader']) => plainContext({ actor: { service, userId: 'user', ...(projectId !== undefined && { projectId }), roles } }) }
}
