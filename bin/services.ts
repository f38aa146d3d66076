// What each service's handlers are handed.
import type { Actor, Context, Log } from '#base/context.ts'
import type { Bus } from '#kit/bus/bus.ts'
import type { ServiceClient } from '#kit/http/client.ts'
import { serviceCredentials } from '#kit/http/service-credential.ts'
import type { HttpOptions } from '#kit/http/server.ts'
import type { Runner } from '#kit/saga/runner.ts'
import type { Store } from '#kit/store/store.ts'
import type { Tracer } from '#kit/trace/tracer.ts'
import { createLifecycle } from '#services/compute/conductor/lifecycle.ts'
import type { Deps as ComputeDeps } from '#services/compute/deps.ts'
import { authenticate } from '#services/identity/authenticate.ts'
import { identityDeps, type Deps as IdentityDeps } from '#services/identity/deps.ts'
import type { Deps as ImageDeps } from '#services/image/deps.ts'
import { defaultConfig as networkDefaults, type Deps as NetworkDeps } from '#services/network/deps.ts'
import { placementDeps, type Deps as PlacementDeps } from '#services/placement/deps.ts'
import type { CloudConfig } from './config.ts'
import { imageDeps } from './images.ts'

export interface Parts {
  deps: Record<string, unknown> & { identity: IdentityDeps, image: ImageDeps, placement: PlacementDeps, network: NetworkDeps, compute: ComputeDeps }
  authenticate(token: string, ctx: Context): Promise<Actor>
  /** Further settings of the HTTP server. */
  http: Partial<HttpOptions>
}

export interface Ingredients {
  config: CloudConfig
  store: Store
  bus: Bus
  tracer: Tracer
  log: Log
  publicUrl: string
  client(service: string): ServiceClient
  runner(): Runner
}

export async function serviceDeps({ config, store, bus, tracer, client, publicUrl, runner }: Ingredients): Promise<Parts> {
  const identity = await identityDeps({ store, tracer, sealKey: config.secrets.sealKey, ...(config.identity && { config: config.identity }), ...(config.passwordCost && { passwordCost: config.passwordCost }) })
  const image = await imageDeps({ config, store, runner, client })
  return {
    deps: {
      identity,
      image,
      placement: placementDeps(store.as()),
      network: { store: store.as(), bus, config: { ...networkDefaults, networkHost: config.host } },
      compute: {
        store: store.as(), image: client('image'), network: client('network'), tracer,
        lifecycle: createLifecycle({ deps: { bus }, runner, graceMs: config.shutdownGraceMs, consoleBytes: 512 * 1024 }),
      },
    },
    authenticate: authenticate(identity, () => `${publicUrl}/identity`),
    http: { openServiceCredential: async (sealed) => { await identity.keyring.fresh(); return serviceCredentials(identity.keyring).open(sealed) } },
  }
}
