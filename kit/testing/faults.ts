// Whatever tests provoke, an operation refuses only with kinds of faults that it says: the reference and the OpenAPI document list them.
import { faultsOf } from '#kit/http/faults.ts'
import { refusals, type Refusal } from '#kit/http/pipeline.ts'

/** What is wrong with a refusal: nothing, or that its operation does not say it. */
export function notSaid({ operation, fault }: Refusal): string | undefined {
  if (fault.kind === 'unavailable' || faultsOf(operation).includes(fault.kind)) return undefined
  return `${operation.name} (${operation.method} ${operation.path}) answered ${fault.kind}, which its \`faults\` do not say: ${fault.message}`
}

let watching = false
/** From here on, in this process, a fault that its operation does not say fails the test that provoked it: what is thrown here is nobody's but the process's, and node:test tells during which test it came. */
export function watchFaults(): void {
  if (watching) return
  watching = true
  refusals.subscribe((refusal) => {
    const wrong = notSaid(refusal as Refusal)
    if (wrong !== undefined) throw new Error(wrong)
  })
}
