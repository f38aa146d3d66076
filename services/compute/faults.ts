// nova's error envelopes: the fault's name is the only key.
import { badRequest, type FaultKind } from '#base/errors.ts'
import type { Context } from '#base/context.ts'
import { statusText } from '#kit/http/status.ts'
import type { FaultView } from '#kit/http/service.ts'

const names: Record<number, string> = {
  400: 'badRequest', 403: 'forbidden', 404: 'itemNotFound', 405: 'badMethod', 409: 'conflictingRequest', 413: 'overLimit', 415: 'badMediaType', 429: 'overLimit', 501: 'notImplemented', 503: 'serviceUnavailable',
}

export function envelope(fault: FaultView): unknown {
  // In nova the 401 comes from the middleware before it, in keystone's shape.
  if (fault.status === 401) return { error: { code: 401, title: statusText(401), message: fault.message } }
  return { [names[fault.status] ?? 'computeFault']: { code: fault.status, message: fault.message } }
}

export const statuses: Partial<Record<FaultKind, number>> = { overQuota: 403 }

/** A project in the path must be the token's. */
export function inspect(ctx: Context, params: Record<string, string>): void {
  if (params.project_id !== undefined && ctx.actor.projectId !== undefined && params.project_id !== ctx.actor.projectId) {
    throw badRequest(`Malformed request URL: URL's project_id '${params.project_id}' doesn't match Context's project_id '${ctx.actor.projectId}'`)
  }
}
