import { after, before } from 'node:test'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { runQueries } from '#kit/testing/run-queries.ts'
import { identity } from './service.ts'
import { startIdentity, type IdentityApi } from './testing.ts'

let api: IdentityApi
before(async () => { api = await startIdentity({ scoped: true }) })
after(() => api.close())

const cases = await identity.access(), started = () => ({
  api, token: api.as, world: worldOf(api, { token: api.as, userId: api.userId, projectId: api.projectId, otherProjectId: api.otherProjectId, otherDomainId: api.otherDomainId }),
})
runAccess(identity.http, cases, started)
const inherited = Object.fromEntries(['ProjectUser', 'ProjectGroup', 'DomainUser', 'DomainGroup'].map((kind) => [`list${kind}InheritedGrants`, `create${kind}InheritedGrant`]))
runQueries(identity.http, cases, {
  filledBy: { listUserGroups: 'addGroupUser', listUserProjects: 'createProjectUserGrant, of a role that domain managers may hand out', listRoleInferences: 'createRoleInference', listRoleAssignments: 'createProjectUserGrant', ...inherited,
    listAccessRules: 'createApplicationCredential, with an access rule', listRevocationEvents: 'revokeToken', listAccessTokens: 'createAccessToken', listEndpointsInGroup: 'createEndpoint',
    listEndpointsOfProject: 'createEndpointOfProject', listProjectsOfEndpoint: 'createEndpointOfProject', listEndpointGroupsOfProject: 'createEndpointGroupOfProject' },
  fixed: { listTrustRoles: 'those of one trust, which does not change', listVersions: 'a document', listOwnDomains: 'the scopes of the caller', listOwnProjects: 'the scopes of the caller', listOwnSystems: 'there is one system',
    listFederatedDomains: 'the scopes of the caller', listFederatedProjects: 'the scopes of the caller', listAccessTokenRoles: 'those that were allowed, which do not change' },
}, started)
