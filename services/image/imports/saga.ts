// An import: bytes that were staged, that lie behind a URL, or that another store or region has, come into stores. A saga, so that a killed process leaves nothing
// half done: it goes on, or is undone. Whatever arrives late finds that the image is no longer its import's and changes nothing.
import { type Fault, faultFrom } from '#base/errors.ts'
import { saga, type SagaFault } from '#kit/saga/saga.ts'
import type { ImportMethod, Plugins } from '../config.ts'
import type { Deps } from '../deps.ts'
import type { OtherImage } from './other-region.ts'
import { workOf, type Arrived } from './work.ts'

/** The saga's resource: not the bare id, which a user may choose like that of any other thing. */
export const resourceOf = (imageId: string): string => `image:${imageId}`

/** What the journal keeps of an import. */
export interface ImportInput {
  imageId: string
  taskId: string
  method: ImportMethod
  /** Those still to be filled. */
  stores: string[]
  allMustSucceed: boolean
  /** As configured when it was asked for. */
  plugins: Plugins
  /** The image of another region that comes. */
  from?: OtherImage
  /** The image was made for this import, and goes with it when it fails. */
  madeImage: boolean
}
/** Such URLs carry signatures. */
export interface ImportSecrets { uri?: string }

/** Fetch or take what is staged, prepare, fill each store, publish. */
export const importImage = saga<ImportInput, Deps, ImportSecrets>('image.import', async (flow, input, deps) => {
  const { method } = input
  const work = workOf(deps, input)
  // Undone last: the image is what it was before, its task says why, and nothing is staged.
  await flow.step('own', { do: () => work.begin(), undo: (ctx) => work.fail(ctx, ctx.fault) })

  if (method === 'web-download') await flow.step('fetch', { do: (ctx) => work.fetch(ctx, flow.sealed.uri ?? ''), undo: (ctx) => work.dropForms(ctx, 0) })
  // Its description first: journaled, it is at hand when the token is not any more.
  const other = input.from && await flow.step('describe', { do: (ctx) => work.describe(ctx) })
  if (other) await flow.step('fetch', { do: (ctx) => work.fetchOther(ctx, other), undo: (ctx) => work.dropForms(ctx, 0) })
  const facts = method === 'copy-image' ? undefined : await flow.step('prepare', { do: (ctx) => work.prepare(ctx, other), undo: (ctx) => work.dropForms(ctx, 1) })

  let arrived: Arrived | undefined, reason: SagaFault | undefined
  const failed: string[] = []
  for (const store of input.stores) {
    const fill = { do: (ctx: Parameters<typeof work.fill>[0]) => work.fill(ctx, store, failed), undo: (ctx: Parameters<typeof work.fill>[0]) => work.empty(ctx, store) }
    if (input.allMustSucceed) {
      arrived = await flow.step(`fill ${store}`, fill)
      continue
    }
    const tried = await flow.attempt(store, (part) => part.step('fill', fill))
    if (tried.ok) arrived = tried.value
    else {
      failed.push(store)
      reason = tried.fault
    }
  }
  if (!arrived) throw asFault(reason)

  flow.pivot()
  const bytes = arrived
  await flow.step('finish', { do: (ctx) => work.finish(ctx, bytes, facts, failed) })
  await flow.step('unstage', { do: (ctx) => work.dropForms(ctx, 0) })
})

const asFault = (fault: SagaFault | undefined): Fault =>
  faultFrom(fault === undefined || fault.kind === 'unexpected' ? { kind: 'unavailable', message: 'The image could not be written to any store.' } : { ...fault, kind: fault.kind })
