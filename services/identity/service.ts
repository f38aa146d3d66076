// Identity's table of contents: keystone v3.
import type { Operation } from '#kit/http/operation.ts'
import type { ServiceModule } from '#kit/service.ts'
import { statusText } from '#kit/http/status.ts'
import * as accessRules from './access-rules/api.ts'
import * as applicationCredentials from './application-credentials/api.ts'
import * as assignments from './assignments/api.ts'
import { grants } from './assignments/grants.ts'
import * as credentials from './credentials/api.ts'
import * as ec2 from './credentials/ec2.ts'
import * as signed from './credentials/signed.ts'
import type { Deps } from './deps.ts'
import * as domains from './domains/api.ts'
import * as endpoints from './endpoints/api.ts'
import { federationNouns } from './federation/api.ts'
import * as federationDoors from './federation/doors.ts'
import * as federationSettings from './federation/settings.ts'
import * as vouching from './federation/vouching.ts'
import * as groups from './groups/api.ts'
import { first } from './migrations/0001-first.ts'
import { limits as limitTables } from './migrations/0020-limits.ts'
import * as domainConfig from './domain-config/api.ts'
import { failureBuckets } from './migrations/0024-failure-buckets.ts'
import { passwords as passwordTables } from './migrations/0023-passwords.ts'
import { domainConfig as domainConfigTables } from './migrations/0022-domain-config.ts'
import * as endpointFilter from './endpoint-filter/api.ts'
import { policies as policyTables } from './migrations/0021-policies.ts'
import * as policies from './policies/api.ts'
import * as policyAssociations from './policies/associations.ts'
import * as limits from './limits/api.ts'
import * as registeredLimits from './limits/registered.ts'
import { directories } from './migrations/0012-directories.ts'
import { oauth1 as oauth1Tables } from './migrations/0011-oauth1.ts'
import * as oauth1 from './oauth1/api.ts'
import * as oauth2 from './oauth2/api.ts'
import { federation } from './migrations/0010-federation.ts'
import { delegation } from './migrations/0004-delegation.ts'
import * as projects from './projects/api.ts'
import * as regions from './regions/api.ts'
import * as roles from './roles/api.ts'
import * as inferences from './roles/inferences.ts'
import * as services from './services/api.ts'
import * as tags from './tags/api.ts'
import * as tokens from './tokens/api.ts'
import * as formerTokens from './tokens/former.ts'
import * as trusts from './trusts/api.ts'
import * as users from './users/api.ts'
import { mediaType, versionsOf } from './versions/api.ts'

/** What a noun's api.ts exports that is an operation. */
const operationsIn = (...nouns: object[]): Operation<Deps>[] =>
  nouns.flatMap((noun) => Object.values(noun)).filter((value): value is Operation<Deps> => typeof value === 'object' && value !== null && 'handle' in value)

export const identity: ServiceModule<Deps> = {
  http: {
    name: 'identity', mount: '/identity', prefixes: ['/v3'],
    operations: [
      ...versionsOf(() => identity.http.operations.map((op) => op.path)),
      ...operationsIn(tokens, formerTokens, users, projects, tags, domains, groups, roles, inferences), ...grants,
      ...operationsIn(limits, registeredLimits),
      ...operationsIn(domainConfig), ...domainConfig.domainConfigs,
      ...operationsIn(policies, policyAssociations, endpointFilter), ...policyAssociations.policyAssociations, ...endpointFilter.endpointFilters,
      ...operationsIn(assignments, regions, services, endpoints, applicationCredentials),
      ...operationsIn(oauth1, oauth2),
      ...federationNouns, ...operationsIn(federationSettings, federationDoors, vouching),
      ...operationsIn(accessRules, credentials, ec2, signed, trusts),
    ],
    consumes: [mediaType],
    replyHeaders: () => ({ vary: 'X-Auth-Token' }),
    envelope: (fault) => ({ error: { code: fault.status, title: statusText(fault.status), message: fault.message } }),
  },
  migrations: [
    first,
    limitTables,
    policyTables,
    domainConfigTables,
    federation,
    delegation,
    passwordTables,
    failureBuckets,
    oauth1Tables,
    directories,
  ],
  access: async () => (await Promise.all([
    import('./versions/access.ts'), import('./tokens/access.ts'), import('./users/access.ts'), import('./projects/access.ts'),
    import('./tags/access.ts'), import('./domains/access.ts'), import('./federation/access.ts'), import('./oauth1/access.ts'),
    import('./oauth2/access.ts'), import('./groups/access.ts'), import('./roles/access.ts'), import('./assignments/access.ts'),
    import('./catalog/access.ts'), import('./application-credentials/access.ts'), import('./limits/access.ts'),
    import('./policies/access.ts'), import('./domain-config/access.ts'), import('./access-rules/access.ts'),
    import('./credentials/access.ts'), import('./trusts/access.ts'),
  ])).flatMap((m) => m.access),
}
