// GET /servers/{server_id}/trace, Pileus's own extension: each step of a server's birth with its time. Tenants see steps, times and
// states; hosts and counts are for administrators. See docs/guides/trace.md.
import { bootSteps, type BootStep } from '#kit/trace/boot-steps.ts'
import { spansOf } from '#kit/trace/store.ts'
import type { SpanRecord } from '#kit/trace/tracer.ts'
import { operation } from '../deps.ts'
import { admin } from '../policy.ts'
import * as policy from './policy.ts'
import { target } from './target.ts'

/** Up to the cast to the agent; from then on the agent is at work. */
const agentSteps = 12

/** The token's birth has a trace of its own; the request that used it says which. */
const auditIdOf = (spans: SpanRecord[]): string | undefined =>
  (spans.find((s) => s.name === 'compute.decide-access')?.tenant as { audit_id?: string } | undefined)?.audit_id

export const showTrace = operation({
  name: 'showServerTrace', method: 'GET', path: '/servers/{server_id}/trace', summary: 'The steps of the server\'s birth, with times (a Pileus extension).',
  access: policy.show, target,
  async handle(ctx, { target }, { store, tracer }) {
    await tracer.flush()
    const spans = await store.read(async (tx) => {
      const own = await spansOf(tx, [target.id]), auditId = auditIdOf(own)
      return auditId === undefined ? own : [...await spansOf(tx, [`token:${auditId}`]), ...own]
    })
    const hosts = admin.allows(ctx.actor)
    const view = (span: SpanRecord): object => ({
      started_at: new Date(span.startedAt).toISOString(), took_ms: Math.round(span.tookMs * 1000) / 1000, ...(span.failed && { failed: true }), ...span.tenant, ...(hosts && span.admin),
    })
    // What the agent has others do for it is not what the API asked of them earlier, under the same span's name.
    const agentAt = spans.find((s) => s.name === 'agent.take')?.startedAt ?? Infinity
    const seen = (step: BootStep): SpanRecord | undefined => spans.find((s) => s.name === step.span && (step.number <= agentSteps || s.startedAt >= agentAt))
    return { trace: {
      server_id: target.id, status: target.vmState,
      steps: bootSteps.map((step) => {
        const span = seen(step)
        return { step: step.number, title: step.title, span: step.span, ...(step.mergedInto && { merged_into: step.mergedInto }), ...(span ? view(span) : { missing: true }) }
      }),
      spans: spans.map((span) => ({ name: span.name, ...view(span) })),
    } }
  },
})
