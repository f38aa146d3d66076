import { after, before } from 'node:test'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { identity } from './service.ts'
import { startIdentity, type IdentityApi } from './testing.ts'

let api: IdentityApi
before(async () => { api = await startIdentity({ scoped: true }) })
after(() => api.close())

runAccess(identity.http, await identity.access(), () => ({
  api, token: api.as, world: worldOf(api, { token: api.as, userId: api.userId, projectId: api.projectId, otherProjectId: api.otherProjectId, otherDomainId: api.otherDomainId }),
}))
