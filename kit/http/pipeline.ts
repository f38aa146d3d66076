// What every call goes through, over HTTP or inside the process: access, validation, target, handler. The order is OpenStack's:
// who may not call at all learns nothing of the body's faults; a well-formed call on somebody else's thing gets a 404.
import { channel } from 'node:diagnostics_channel'
import type { Context } from '#base/context.ts'
import { Fault, forbidden, notFound } from '#base/errors.ts'
import { anyone, type Target } from '#kit/policy/rules.ts'
import { Reply, type Input, type Operation } from './operation.ts'
import { check, Invalid } from './schema.ts'
import type { ServiceHttp } from './service.ts'

/** Told of each fault that an operation's own code throws: tests listen for kinds that it does not say. */
export interface Refusal { operation: Operation, fault: Fault }
export const refusals = channel('pileus.refusals')

const policyRefusal = (op: Operation): Error => forbidden(`Policy doesn't allow ${op.name} to be performed.`)

/** First gate, before the body is read. */
export function admit(service: ServiceHttp, op: Operation, { actor }: Context): void {
  if (op.internal && actor.service === undefined) throw notFound('The resource could not be found.')
  if (op.access === anyone) return
  // oslo.policy's scope_types: an administrator of a domain or of the system is none here.
  const elsewhere = service.tokens === 'project' && (actor.domainId !== undefined || actor.system !== undefined) && actor.service === undefined
  if (elsewhere || !op.access.allows(actor)) throw policyRefusal(op)
}

const ownerOf = (op: Operation, target: unknown): Target => op.target?.owner ? op.target.owner(target) : target as Target

/** Validates, loads the target, decides on it, runs the handler. `input.target` is filled in here. */
export async function perform(op: Operation, ctx: Context, input: Input<unknown, unknown, unknown>, deps: unknown): Promise<Reply> {
  try {
    return await performed(op, ctx, input, deps)
  } catch (fault) {
    if (refusals.hasSubscribers && fault instanceof Fault) refusals.publish({ operation: op, fault } satisfies Refusal)
    throw fault
  }
}

async function performed(op: Operation, ctx: Context, input: Input<unknown, unknown, unknown>, deps: unknown): Promise<Reply> {
  if (op.querySchema) check(op.querySchema, input.version.number, input.query, 'query')
  const { bodySchema } = op
  const checkBody = (): void => {
    if (!bodySchema || (op.bodyOptional && input.body === undefined)) return
    if (input.body === undefined) throw new Invalid('The request body is missing; a JSON object is required.', { part: 'json', reason: 'the request body is missing' })
    check(bodySchema, input.version.number, input.body)
  }
  if (!op.target?.beforeBody) checkBody()
  if (op.target) {
    const target = await op.target.load(ctx, input.params, deps, input)
    if (target === undefined || !op.target.sees.allows(ctx.actor, ownerOf(op, target))) throw op.target.missing(input.params)
    if (!op.access.allows(ctx.actor, ownerOf(op, target))) throw policyRefusal(op)
    input.target = target
  }
  if (op.target?.beforeBody) checkBody()
  const answer = await op.handle(ctx, input, deps)
  if (answer instanceof Reply) return new Reply({ status: answer.status ?? op.status ?? (answer.body === undefined ? 204 : 200), headers: answer.headers, body: answer.body })
  return new Reply({ status: op.status ?? (answer === undefined ? 204 : 200), body: answer })
}
