// An operation's name and arguments as the HTTP request they mean.
import { buffer } from 'node:stream/consumers'
import type { Call } from '#kit/http/client.ts'
import type { ServiceHttp } from '#kit/http/service.ts'

export interface HttpRequestParts { method: string, path: string, headers: Record<string, string>, body?: unknown }

/** The request line, headers and body that reach `operation` of a service over HTTP. */
export async function requestOf(service: ServiceHttp, operation: string, call: Call): Promise<HttpRequestParts> {
  const op = service.operations.find((o) => o.name === operation)
  if (!op) throw new Error(`${service.name} has no operation ${operation}`)
  const path = op.path.replace(/\{(\w+)\}/g, (_all, name: string) => {
    const value = call.params?.[name]
    if (value === undefined) throw new Error(`${operation} needs the path parameter ${name}`)
    return encodeURIComponent(value)
  })
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(call.query ?? {})) for (const v of Array.isArray(value) ? value : [value]) search.append(key, String(v))
  const version = call.version ?? service.microversions?.max
  const headers: Record<string, string> = {
    ...(service.microversions && version && { 'openstack-api-version': `${service.microversions.service} ${version}` }),
    ...(op.streams && { 'content-type': 'application/octet-stream' }), ...call.headers,
  }
  const prefix = op.atRoot ? '' : service.prefixes[0] ?? ''
  const query = search.size > 0 ? `?${search}` : ''
  const parts = { method: op.method, path: `${service.mount}${prefix}${path}${query}`, headers }
  const bytes = op.streams && call.stream ? await buffer(call.stream) : undefined
  const json = op.action ? { [op.action]: call.body ?? null } : call.body
  const body = op.streams ? bytes : json
  return { ...parts, ...(body !== undefined && { body }) }
}
