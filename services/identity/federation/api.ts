// https://docs.openstack.org/api-ref/identity/v3-ext/#os-federation: whom this cloud trusts, and who trusts it.
import { badRequest } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { now } from '#base/time.ts'
import { exact, lenient, nullable, Type } from '#kit/http/schema.ts'
import { flag } from '#kit/store/store.ts'
import { missing } from '../faults.ts'
import { field } from '../fields.ts'
import * as projects from '../projects/store.ts'
import { listOwnDomains, listOwnProjects } from '../tokens/api.ts'
import { found, namedOperations, type NamedSpec } from './named.ts'
import { checkRules, mappingBody, type Rules, type SchemaVersion } from './rules.ts'
import type { MappingRow, ProtocolRow, ServiceProviderRow } from './schema.ts'
import * as rows from './store.ts'

const root = '/OS-FEDERATION', idps = `${root}/identity_providers`
/** What PATCH leaves out stays. */
const changed = <T>(given: T | undefined, stands: T): T => (given === undefined ? stands : given)
const enabledQuery = lenient({ id: Type.Optional(Type.String()), enabled: Type.Optional(Type.Boolean()) })

const providerFields = {
  enabled: Type.Optional(Type.Boolean()), description: Type.Optional(field.description),
  authorization_ttl: Type.Optional(nullable(Type.Integer({ minimum: 0, maximum: 5_256_000 }))),
  remote_ids: Type.Optional(nullable(Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { maxItems: 100, uniqueItems: true }))),
}
const providerCreation = exact({ ...providerFields, domain_id: Type.Optional(nullable(field.id)) })
const providerChange = exact(providerFields, { minProperties: 1 })
export const providers: NamedSpec<rows.Provider, typeof providerCreation, typeof providerChange> = {
  words: 'identity provider', plural: 'identity providers', path: idps, param: 'idp_id', key: 'identity_provider', keys: 'identity_providers',
  query: enabledQuery, create: providerCreation, change: providerChange,
  view: (row, api) => ({
    id: row.id, enabled: row.enabled === 1, description: row.description, remote_ids: row.remoteIds, domain_id: row.domainId, authorization_ttl: row.authorizationTtlMinutes,
    links: { self: `${api}${idps}/${row.id}`, protocols: `${api}${idps}/${row.id}/protocols` },
  }),
  list: (tx, _params, query) => rows.listProviders(tx, query), find: (tx, params) => rows.findProvider(tx, params.idp_id!),
  async add(tx, params, body) {
    const id = params.idp_id!, domainId = body.domain_id ?? newHexId()
    if (body.domain_id) { if (!await projects.findDomain(tx, domainId)) throw missing('domain', domainId) } else {
      // A domain of its own, for its users.
      await projects.add(tx, {
        id: domainId, name: domainId, domainId: '', parentId: null, isDomain: 1, enabled: 1,
        description: `Auto generated federated domain for Identity Provider: ${id}`, options: '{}', extra: '{}',
        generation: 0, createdAt: now(), tags: [],
      })
    }
    const row: rows.Provider = {
      id, domainId, enabled: flag(body.enabled ?? false), description: body.description ?? null,
      authorizationTtlMinutes: body.authorization_ttl ?? null, remoteIds: body.remote_ids ?? [],
    }
    await rows.addProvider(tx, row)
    return row
  },
  async save(tx, was, body) {
    const row: rows.Provider = {
      ...was, enabled: flag(body.enabled ?? was.enabled === 1), description: changed(body.description, was.description),
      authorizationTtlMinutes: changed(body.authorization_ttl, was.authorizationTtlMinutes),
      remoteIds: body.remote_ids === undefined ? was.remoteIds : body.remote_ids ?? [],
    }
    await rows.saveProvider(tx, was, row)
    return row
  },
  remove: (tx, row) => rows.removeProvider(tx, row.id),
}

const protocolFields = { mapping_id: Type.String({ minLength: 1, maxLength: 64 }), remote_id_attribute: Type.Optional(nullable(Type.String({ maxLength: 64 }))) }
const protocolBody = exact(protocolFields)
const protocolView = (row: ProtocolRow, api: string): object => ({
  id: row.id, mapping_id: row.mappingId, ...(row.remoteIdAttribute !== null && { remote_id_attribute: row.remoteIdAttribute }),
  links: { self: `${api}${idps}/${row.idpId}/protocols/${row.id}`, identity_provider: `${api}${idps}/${row.idpId}` },
})
export const protocols: NamedSpec<ProtocolRow, typeof protocolBody, typeof protocolBody> = {
  words: 'federation protocol', plural: 'federation protocols', path: `${idps}/{idp_id}/protocols`, param: 'protocol_id', key: 'protocol', keys: 'protocols',
  create: protocolBody, change: protocolBody,
  view: protocolView, listView: (row, api) => ({ ...protocolView(row, api), idp_id: row.idpId, remote_id_attribute: row.remoteIdAttribute }),
  within: (tx, params) => found(providers, tx, params),
  list: (tx, params) => rows.listProtocols(tx, params.idp_id!), find: (tx, params) => rows.findProtocol(tx, params.idp_id!, params.protocol_id!),
  async add(tx, params, body) {
    const row: ProtocolRow = {
      id: params.protocol_id!, idpId: params.idp_id!, mappingId: body.mapping_id, remoteIdAttribute: body.remote_id_attribute ?? null,
      relyingParty: null, revision: 0,
    }
    if (!await rows.findMapping(tx, row.mappingId)) throw badRequest(`Invalid mapping id: ${row.mappingId}`)
    await rows.addProtocol(tx, row)
    return row
  },
  async save(tx, was, body) {
    const row: ProtocolRow = { ...was, mappingId: body.mapping_id, remoteIdAttribute: changed(body.remote_id_attribute, was.remoteIdAttribute) }
    if (!await rows.findMapping(tx, row.mappingId)) throw badRequest(`Invalid mapping id: ${row.mappingId}`)
    await rows.saveProtocol(tx, was, row)
    return row
  },
  remove: rows.removeProtocol,
}

const ruled = (id: string, body: { rules: Rules, schema_version?: SchemaVersion }): MappingRow => {
  const schemaVersion = body.schema_version ?? '1.0'
  checkRules(body.rules, schemaVersion)
  return { id, rules: JSON.stringify(body.rules), schemaVersion }
}
export const mappings: NamedSpec<MappingRow, typeof mappingBody, typeof mappingBody> = {
  words: 'mapping', plural: 'mappings', path: `${root}/mappings`, param: 'mapping_id', key: 'mapping', keys: 'mappings', create: mappingBody, change: mappingBody,
  view: (row, api) => ({ id: row.id, rules: JSON.parse(row.rules) as unknown, schema_version: row.schemaVersion, links: { self: `${api}${root}/mappings/${row.id}` } }),
  list: (tx) => rows.listMappings(tx), find: (tx, params) => rows.findMapping(tx, params.mapping_id!),
  async add(tx, params, body) { const row = ruled(params.mapping_id!, body); await rows.addMapping(tx, row); return row },
  async save(tx, was, body) { const row = ruled(was.id, body); await rows.saveMapping(tx, was, row); return row },
  remove: (tx, row) => rows.removeMapping(tx, row.id),
}

const url = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9+.-]+:.+' })
const serviceProviderFields = {
  auth_url: url, sp_url: url, description: Type.Optional(field.description), enabled: Type.Optional(Type.Boolean()),
  relay_state_prefix: Type.Optional(nullable(Type.String({ maxLength: 255 }))),
}
const serviceProviderCreation = exact(serviceProviderFields)
const serviceProviderChange = exact({ ...serviceProviderFields, auth_url: Type.Optional(url), sp_url: Type.Optional(url) }, { minProperties: 1 })
export const serviceProviders: NamedSpec<ServiceProviderRow, typeof serviceProviderCreation, typeof serviceProviderChange> = {
  words: 'service provider', plural: 'service providers', path: `${root}/service_providers`, param: 'sp_id', key: 'service_provider', keys: 'service_providers',
  query: enabledQuery, create: serviceProviderCreation, change: serviceProviderChange,
  view: (row, api) => ({
    id: row.id, auth_url: row.authUrl, sp_url: row.spUrl, description: row.description, enabled: row.enabled === 1, relay_state_prefix: row.relayStatePrefix,
    links: { self: `${api}${root}/service_providers/${row.id}` },
  }),
  list: (tx, _params, query) => rows.listServiceProviders(tx, query), find: (tx, params) => rows.findServiceProvider(tx, params.sp_id!),
  async add(tx, params, body) {
    const row: ServiceProviderRow = {
      id: params.sp_id!, authUrl: body.auth_url, spUrl: body.sp_url, description: body.description ?? null,
      enabled: flag(body.enabled ?? false), relayStatePrefix: body.relay_state_prefix ?? 'ss:mem:',
    }
    await rows.addServiceProvider(tx, row)
    return row
  },
  async save(tx, was, body) {
    const row: ServiceProviderRow = {
      ...was, authUrl: body.auth_url ?? was.authUrl, spUrl: body.sp_url ?? was.spUrl,
      description: changed(body.description, was.description), enabled: flag(body.enabled ?? was.enabled === 1),
      relayStatePrefix: body.relay_state_prefix ?? was.relayStatePrefix,
    }
    await rows.saveServiceProvider(tx, was, row)
    return row
  },
  remove: (tx, row) => rows.removeServiceProvider(tx, row.id),
}

/** The same lists under the names of before: https://docs.openstack.org/api-ref/identity/v3-ext/#list-projects-a-federated-user-can-access */
export const listFederatedProjects = { ...listOwnProjects, name: 'listFederatedProjects', path: `${root}/projects` }
export const listFederatedDomains = { ...listOwnDomains, name: 'listFederatedDomains', path: `${root}/domains` }

export const federationNouns = [
  ...namedOperations(providers), ...namedOperations(protocols), ...namedOperations(mappings), ...namedOperations(serviceProviders),
  listFederatedProjects, listFederatedDomains,
]
