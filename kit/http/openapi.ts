// The OpenAPI document, derived from the lists of operations: request schemas as they stand at each service's newest version.
import { faultsOf, statusOf } from './faults.ts'
import type { Operation } from './operation.ts'
import { versionNumber, type TSchema } from './schema.ts'
import type { ServiceHttp } from './service.ts'
import { statusText } from './status.ts'

type Json = Record<string, unknown>

/** The whole document as plain JSON. Operations for Pileus's own services only are left out. */
export function openapi(services: ServiceHttp[], publicUrl: string, version: string): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const service of services) {
    for (const [path, operations] of byPath(service)) {
      const item = paths[path] ??= {}
      for (const [method, list] of Map.groupBy(operations, (op) => op.method.toLowerCase())) item[method] = described(service, path, list)
    }
  }
  return {
    openapi: '3.1.0', jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: { title: 'Pileus', summary: 'The OpenStack cloud in one program', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: publicUrl }],
    tags: services.map((service) => ({
      name: service.name, 'x-openstack-prefixes': service.prefixes.map((prefix) => service.mount + prefix),
      ...(service.microversions && { 'x-openstack-microversions': { min: service.microversions.min, max: service.microversions.max } }),
    })),
    paths,
    components: { securitySchemes: { token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token', description: 'From POST /identity/v3/auth/tokens' } } },
  }
}

/** Operations by their path below the server's root, below the canonical prefix. */
const byPath = (service: ServiceHttp): Map<string, Operation[]> =>
  Map.groupBy(service.operations.filter((op) => !op.internal), (op) => `${service.mount}${op.atRoot ? '' : service.prefixes[0] ?? ''}${op.path}`.replace(/(.)\/$/, '$1'))

const newestOf = (service: ServiceHttp): number => service.microversions ? versionNumber(service.microversions.max) : 0

/** One entry a path and method, which actions and bodies that changed wholly between versions share: the newest speaks, the others are listed. */
function described(service: ServiceHttp, path: string, list: Operation[]): Json {
  const newest = newestOf(service)
  const current = list.filter((op) => op.untilNumber >= newest)
  const op = current[0] ?? list[0]!
  const actions = current.filter((o) => o.action !== undefined)
  const former = list.filter((o) => !current.includes(o))
  const speaking = actions.length > 0 ? actions : [op]
  const statuses = new Set(speaking.map((o) => o.status ?? (o.method === 'DELETE' ? 204 : 200)))
  const refused = new Set(speaking.flatMap((o) => faultsOf(o).map((kind) => statusOf(service, kind))))
  const body = bodyOf(speaking, newest)
  return {
    operationId: `${service.name}.${actions.length > 0 ? `${nounOf(path)}Action` : op.name}`, tags: [service.name],
    summary: actions.length > 0 ? `One of the actions ${actions.map((a) => a.action).join(', ')}.` : op.summary,
    parameters: [
      ...pathParameters(path),
      ...(op.querySchema ? queryParameters(op.querySchema.shapeAt(newest)) : []),
      ...(service.microversions ? [versionParameter(service.microversions.service)] : []),
    ],
    ...(body && { requestBody: body }),
    responses: {
      ...Object.fromEntries([...statuses].map((status) => [status, { description: statusText(status) }])),
      ...Object.fromEntries([...refused].map((status) => [status, { description: `${statusText(status)}, in the service's own envelope.` }])),
      default: { description: 'Another fault, in the service\'s own envelope.' },
    },
    security: op.access.text === '@' ? [] : [{ token: [] }],
    ...(actions.length === 0 && details(op)),
    ...(actions.length > 0 && { 'x-openstack-actions': actions.map((a) => ({ action: a.action, operation: a.name, summary: a.summary, ...details(a) })) }),
    ...(former.length > 0 && { 'x-openstack-former': former.map((o) => ({ operation: o.name, ...(o.action !== undefined && { action: o.action }), ...details(o) })) }),
  }
}

const details = (op: Operation): Json => ({
  'x-openstack-access': op.access.text, ...(op.since !== undefined && { 'x-openstack-min-version': op.since }),
  ...(op.until !== undefined && { 'x-openstack-max-version': op.until }),
})

/** `/compute/v2.1/servers/{server_id}/action` → `servers`. */
const nounOf = (path: string): string => path.split('/').filter((part) => part !== '' && part !== 'action' && !part.startsWith('{')).at(-1) ?? ''

const pathParameters = (path: string): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))

function queryParameters(schema: TSchema): Json[] {
  const { properties = {}, required = [] } = schema as { properties?: Record<string, TSchema>, required?: string[] }
  return Object.entries(properties).map(([name, field]) => ({ name, in: 'query', ...(required.includes(name) && { required: true }), schema: field }))
}

const versionParameter = (service: string): Json =>
  ({ name: 'OpenStack-API-Version', in: 'header', schema: { type: 'string' }, description: `\`${service} MAJOR.MINOR\`, or \`${service} latest\`; without it the oldest.` })

function bodyOf(operations: Operation[], newest: number): Json | undefined {
  const [op] = operations as [Operation]
  if (op.streams) return { required: true, content: { 'application/octet-stream': {} } }
  const schemas = operations.flatMap((o) => {
    const schema = o.bodySchema?.shapeAt(newest)
    if (o.action === undefined) return schema ? [schema] : []
    return [{ type: 'object', required: [o.action], properties: { [o.action]: schema ?? {} }, additionalProperties: false, title: o.name }]
  })
  if (schemas.length === 0) return undefined
  const schema = schemas.length === 1 ? schemas[0] : { oneOf: schemas }
  return { ...(!op.bodyOptional && { required: true }), content: Object.fromEntries(['application/json', ...(op.consumes ?? [])].map((type) => [type, { schema }])) }
}
