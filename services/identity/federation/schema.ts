// Federation's tables as code sees them.
import type { Flag } from '#kit/store/store.ts'

export interface FederationTables {
  identityIdentityProviders: ProviderRow
  identityRemoteIds: { remoteId: string, idpId: string }
  identityFederationProtocols: ProtocolRow
  identityMappings: MappingRow
  identityServiceProviders: ServiceProviderRow
  /** Users whom a provider vouches for, by what it calls them. */
  identityFederatedUsers: { idpId: string, protocolId: string, uniqueId: string, userId: string }
  /** Groups that a provider put a user into: for so long, and until he comes again. */
  identityExpiringMemberships: { userId: string, groupId: string, idpId: string, expiresAtSeconds: number }
  /** SAML assertions that were used, until they would have expired. */
  identitySeenAssertions: { id: string, expiresAtSeconds: number }
  /** The key with which this cloud vouches for its own users, and the one that opens what providers encrypt for it. */
  identitySamlKeys: { id: string, sealed: string, certificate: string, createdAt: string }
}

export interface ProviderRow { id: string, domainId: string, enabled: Flag, description: string | null, authorizationTtlMinutes: number | null }
export interface ProtocolRow {
  id: string
  idpId: string
  mappingId: string
  remoteIdAttribute: string | null
  /** Sealed JSON: how this cloud asks the provider, see settings.ts. */
  relyingParty: string | null
  /** Raised with every change of it, so that what is remembered of the older one is not used. */
  revision: number
}
export interface MappingRow { id: string, rules: string, schemaVersion: string }
export interface ServiceProviderRow { id: string, authUrl: string, spUrl: string, description: string | null, enabled: Flag, relayStatePrefix: string }
