// A service as the HTTP kit sees it: where it is mounted, how it dresses its errors, which versions it speaks, and its operations.
import type { Context } from '#base/context.ts'
import type { FaultKind } from '#base/errors.ts'
import type { Operation, Version } from './operation.ts'
import { versionOf } from './operation.ts'
import type { Problem } from './schema.ts'

/** A fault on its way out. `status` is decided; `type` is the service's own name for it, if it has one; `problem` is there when a request has not the form it must have. */
export interface FaultView { status: number, kind: FaultKind | 'internal', message: string, type?: string, requestId: string, problem?: Problem }

/** How a service's microversions are asked for, and which there are. */
export interface MicroversionSpec {
  /** The word in OpenStack-API-Version: `compute`, `placement`. */
  service: string
  min: string
  max: string
  /** nova's older header. */
  legacyHeader?: string
  /** Any two numbers are a version, even if one that there is not: placement's way, where nova finds `0.9` malformed. */
  anyNumbers?: boolean
}

/** A service's operations, with what they have in common. */
export interface ServiceHttp<D = any> {
  /** `compute`; also the folder's name. */
  name: string
  /** The path below the public URL: `/compute`. */
  mount: string
  /** Types in the catalogue beside the name: access rules speak of these. */
  otherTypes?: string[]
  /** The API's prefixes below the mount, the canonical one first: `/v2.1`, `/v2.1/{project_id}`. */
  prefixes: string[]
  operations: Operation<D>[]
  /** A slash at the end makes another path: an empty id is nothing's, rather than the list. glance reads them so. */
  strictPaths?: boolean
  /** Media types beside application/json that carry JSON in all its bodies: the ones its version documents speak of. */
  consumes?: string[]
  /** HEAD is refused, as placement does; elsewhere it asks for what GET would answer, without the body. */
  noHead?: boolean
  /** Which tokens its policies are made for: with 'project', one for a domain or the system is refused wherever a token is asked for. All, if not said. */
  tokens?: 'project'
  microversions?: MicroversionSpec
  /** The service's own error envelope. `version` is missing where the request's was not understood. */
  envelope(fault: FaultView, version?: Version): unknown
  /** HTML around a fault, for clients that like it as well as JSON (those who accept anything, or say nothing): glance's own client reads nothing else. */
  faultPage?(fault: FaultView, accept: string | undefined): string | undefined
  /** Statuses that differ from the usual ones (quota: nova 403, neutron 409). */
  statuses?: Partial<Record<FaultKind, number>>
  /** Looks at each request once its caller is known, before anything else of it: nova compares the path's project. Throws to refuse. */
  inspect?(ctx: Context, params: Record<string, string>): void
  /** Looks at a request's headers once its operation is known: media types, where a service is strict about them. Throws to refuse. */
  inspectHeaders?(operation: Operation, headers: Record<string, string | string[] | undefined>): void
  /** Headers every reply carries. */
  replyHeaders?(requestId: string): Record<string, string>
}

/** The version a request's headers ask for; undefined for services without microversions. For what is malformed or out of range: the status and words to refuse it with. */
export function negotiate(
  spec: MicroversionSpec | undefined, headers: Record<string, string | string[] | undefined>,
): Version | { status: 400 | 406, message: string } | undefined {
  if (!spec) return undefined
  let asked: string | undefined
  for (const part of String(headers['openstack-api-version'] ?? '').split(',')) {
    const words = part.trim().split(/\s+/)
    if (words[0]?.toLowerCase() === spec.service) asked = words[1] ?? ''
  }
  if (asked === undefined && spec.legacyHeader) asked = headers[spec.legacyHeader.toLowerCase()] as string | undefined
  if (asked === undefined) return versionOf(spec.min)
  if (asked.trim().toLowerCase() === 'latest') return versionOf(spec.max)
  asked = asked.trim()
  if (spec.anyNumbers && !/^\d{1,9}\.\d{1,9}$/.test(asked)) return { status: 400, message: `invalid version string: ${asked.slice(0, 40)}` }
  if (!spec.anyNumbers && !/^[1-9]\d*\.(0|[1-9]\d*)$/.test(asked)) {
    return { status: 400, message: `API Version String ${asked.slice(0, 40)} is of invalid format. Must be of format MajorNum.MinorNum.` }
  }
  const version = versionOf(asked)
  if (version.number < versionOf(spec.min).number || version.number > versionOf(spec.max).number) {
    if (spec.anyNumbers) return { status: 406, message: `Unacceptable version header: ${asked}` }
    return { status: 406, message: `Version ${asked} is not supported by the API. Minimum is ${spec.min} and maximum is ${spec.max}.` }
  }
  return version
}

/** What every reply says of the version that answered. */
export const versionHeaders = (spec: MicroversionSpec, version: Version | undefined): Record<string, string> => ({
  vary: spec.legacyHeader ? `OpenStack-API-Version, ${spec.legacyHeader}` : 'OpenStack-API-Version',
  'openstack-api-version': `${spec.service} ${version?.text ?? spec.min}`,
  ...(spec.legacyHeader && { [spec.legacyHeader.toLowerCase()]: version?.text ?? spec.min }),
})
