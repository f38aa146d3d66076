// Who is not to be let in learns nothing but that; the log has the reason.
import type { Context } from '#base/context.ts'
import { authenticationRequired } from '../faults.ts'
import { Unmapped } from './rules.ts'

/** Runs what may throw Unmapped: its reason is logged in these words, with what it is about, and the answer is the one 401. `root`: the service's URL. */
export async function judged<T>(ctx: Context, root: string, about: object, words: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Unmapped)) throw error
    ctx.log.info({ requestId: ctx.requestId, ...about, why: error.message }, words)
    throw authenticationRequired(root)
  }
}
