// Whatever tests provoke, an operation refuses only with kinds of faults that it says: the reference and the OpenAPI document list them.
import { faultsOf } from '#kit/http/faults.ts'
import { refusals, type Refusal } from '#kit/http/pipeline.ts'

const watch = (message: unknown): void => {
  const { operation, fault } = message as Refusal
  if (fault.kind === 'unavailable' || faultsOf(operation).includes(fault.kind)) return
  // Thrown here it would reach nobody but the process: node:test says of which test it came.
  throw new Error(`${operation.name} (${operation.method} ${operation.path}) answered ${fault.kind}, which its \`faults\` do not say: ${fault.message}`)
}

let watching = false
/** From here on, in this process, a fault that its operation does not say fails the test that provoked it. */
export function watchFaults(): void {
  if (watching) return
  watching = true
  refusals.subscribe(watch)
}
