// The steps of an import, each repeatable: done twice it is done once, and undone it is as if never done.
import { Readable } from 'node:stream'
import { whileWanted } from '#base/chunks.ts'
import { conflict, unavailable } from '#base/errors.ts'
import { fetchOutgoing } from '#kit/http/outgoing.ts'
import type { SagaFault, StepContext } from '#kit/saga/saga.ts'
import type { Deps, ImageTx } from '../deps.ts'
import { diskSize } from '../formats/examine.ts'
import * as images from '../images/store.ts'
import { quotaFor } from '../quota/limits.ts'
import { dropParts, openStaged, stagedOf } from '../stage/staged.ts'
import { addPart, takeParts } from '../stage/store.ts'
import { openCopy, unusedAt } from '../stores/bytes.ts'
import { purgeCopies } from '../stores/purge.ts'
import { addCopy, copiesOf, publishCopies, removeCopy } from '../stores/store.ts'
import * as tasks from '../tasks/store.ts'
import { checkOther, describeOther, fileOf, tokenOf, type OtherFacts } from './other-region.ts'
import { prepareStaged, type Facts } from './prepare.ts'
import type { ImportInput } from './saga.ts'

/** What a store says of the bytes it took. */
export interface Arrived { size: number, md5: string, sha512: string }

const words = (fault: SagaFault): string => fault.kind === 'unexpected' ? 'The import failed unexpectedly; the administrator finds the reason in the log.' : fault.message
const gone = (): Error => conflict('The image was deleted, or is no longer this import\'s.', { type: 'ImageGone' })

/** The steps of an import, each repeatable. */
export function workOf(deps: Deps, input: ImportInput) {
  const { store, stores, staging, config, maxImageBytes } = deps, { imageId, taskId, method } = input
  const copying = method === 'copy-image'

  /** The image while it is this import's. Every write of this import stands behind it. */
  async function mine(tx: ImageTx): Promise<images.Image> {
    const image = await images.find(tx, imageId)
    if (image?.importTaskId !== taskId) throw gone()
    return image
  }

  /** The same for who writes more than the image's own row: a deletion at that moment comes before or after it. */
  async function held(tx: ImageTx): Promise<images.Image> {
    await images.lock(tx, imageId)
    return mine(tx)
  }

  /** This import's copy in a store is there already. */
  const isFilled = async (tx: ImageTx, id: string): Promise<boolean> => (await copiesOf(tx, imageId)).some((copy) => copy.store === id && copy.taskId === taskId)

  /** Stages a stream as the next form of the image. Already there is success. */
  async function stage(ctx: StepContext, form: number, body: Readable, check: (stored: Arrived) => void = () => {}): Promise<void> {
    await whileWanted(ctx.signal, body, () => staging.put(ctx, body, {
      maxBytes: maxImageBytes, unused: unusedAt(deps, 'staging'),
      async keep({ size, location, md5, sha512 }) {
        check({ size, md5, sha512 })
        await store.tx(async (tx) => {
          await held(tx)
          await addPart(tx, { imageId, form, startAt: 0, size, location, last: 1 })
          await images.move(tx, imageId, { importTaskId: taskId }, { size })
        }, { durable: true })
      },
    }))
  }

  return {
    begin: (): Promise<void> => store.tx(async (tx) => {
      await mine(tx)
      await tasks.begin(tx, taskId)
      await images.move(tx, imageId, { importTaskId: taskId }, { importingTo: input.stores.join(','), failedImport: '' })
    }),

    /** Everything of this import goes, also what came late. */
    async fail(ctx: StepContext, fault: SagaFault): Promise<void> {
      deps.tokens.delete(taskId)
      const left = await store.tx(async (tx) => {
        await tasks.end(tx, taskId, 'failure', words(fault), null, config.taskLifeMs)
        const image = await images.find(tx, imageId)
        if (image?.importTaskId !== taskId) return []
        const copies = (await copiesOf(tx, imageId)).filter((copy) => copy.taskId === taskId)
        for (const copy of copies) await removeCopy(tx, imageId, copy.store, taskId)
        await purgeCopies(tx, ctx, deps, copies)
        const parts = copying ? [] : await takeParts(tx, imageId)
        const ended = { importTaskId: null, importingTo: '', failedImport: input.stores.join(',') }
        if (input.madeImage) await images.remove(tx, imageId)
        else await images.move(tx, imageId, { importTaskId: taskId }, copying ? ended : { ...images.noData, ...ended, status: 'queued' })
        return parts
      }, { durable: true })
      await dropParts(ctx, deps, left)
    },

    async fetch(ctx: StepContext, uri: string): Promise<void> {
      if ((await store.read((tx) => stagedOf(tx, imageId))).whole) return
      const { bytes } = await fetchOutgoing(uri, config.webDownload, { ...config.webBounds, maxBytes: maxImageBytes }, ctx.signal)
      await stage(ctx, 0, bytes)
    },

    describe: async (ctx: StepContext): Promise<OtherFacts> => describeOther(ctx, deps, input.from!, tokenOf(deps, taskId), await store.read(mine)),

    async fetchOther(ctx: StepContext, facts: OtherFacts): Promise<void> {
      if (!(await store.read((tx) => stagedOf(tx, imageId))).whole) {
        const bounds = { ...config.webBounds, maxBytes: maxImageBytes }
        const { bytes } = await fetchOutgoing(fileOf(input.from!), config.glanceDownload.rules, bounds, ctx.signal, { 'x-auth-token': tokenOf(deps, taskId) })
        await stage(ctx, 0, bytes, (stored) => checkOther(facts, stored))
      }
      deps.tokens.delete(taskId)
    },

    async prepare(ctx: StepContext, other?: OtherFacts): Promise<Facts> {
      const image = { ...await store.read(mine), ...(other && { diskFormat: other.diskFormat, containerFormat: other.containerFormat }) }
      const facts = await prepareStaged(ctx, deps, image, input.plugins, (form, body) => stage(ctx, form, body))
      return { ...facts, properties: { ...other?.properties, ...facts.properties } }
    },

    async dropForms(ctx: StepContext, from: number): Promise<void> {
      const parts = await store.tx(async (tx) => {
        const image = await images.find(tx, imageId)
        // Another import's, or a new upload's: not ours to take. After the end nobody owns the image, and its bytes are in stores.
        return image && image.importTaskId !== taskId && image.status !== 'active' && image.status !== 'deactivated' ? [] : takeParts(tx, imageId, from)
      })
      await dropParts(ctx, deps, parts)
    },

    async fill(ctx: StepContext, id: string, failed: readonly string[]): Promise<Arrived> {
      const image = await store.read(mine), blobs = stores.blobs(id)
      if (!blobs) throw unavailable(`The store ${id} is not configured here any more.`)
      // What it has become on the way is known now: unpacked, converted, come from afar. What others brought meanwhile is counted, too.
      const admit = await quotaFor(ctx, deps, image.ownerId)
      const body = copying ? await openCopy(ctx, deps, image.locations) : await openStaged(ctx, deps, imageId)
      return whileWanted(ctx.signal, body, async () => {
        const { size, md5, sha512 } = await blobs.put(ctx, body, {
          maxBytes: maxImageBytes, unused: unusedAt(deps, { store: id }),
          keep: (stored) => store.tx(async (tx) => {
            if (!await isFilled(tx, id)) await admit(tx, { image_size_total: stored.size })
            const { osHashValue } = await held(tx)
            if (copying && osHashValue !== null && stored.sha512 !== osHashValue) throw unavailable('The copy of the image differs from the image.')
            await addCopy(tx, { imageId, store: id, location: stored.location, taskId })
            await images.move(tx, imageId, { importTaskId: taskId }, { importingTo: input.stores.slice(input.stores.indexOf(id) + 1).join(','), failedImport: failed.join(',') })
            await tasks.tell(tx, taskId, `Copied ${Math.floor(stored.size / 1024 ** 2)} MiB`)
          }, { durable: true }),
        })
        return { size, md5, sha512 }
      })
    },

    empty: (ctx: StepContext, id: string): Promise<void> => store.tx(async (tx) => {
      const found = (await copiesOf(tx, imageId)).filter((each) => each.store === id && each.taskId === taskId)
      for (const copy of found) await removeCopy(tx, imageId, copy.store, taskId)
      await purgeCopies(tx, ctx, deps, found)
    }, { durable: true }),

    finish: (_ctx: StepContext, { size, md5, sha512 }: Arrived, facts: Facts | undefined, failed: readonly string[]): Promise<void> => store.tx(async (tx) => {
      const image = await images.find(tx, imageId)
      // Done already, or deleted meanwhile: then the deletion takes the bytes.
      if (image?.importTaskId !== taskId) return
      await publishCopies(tx, imageId, taskId)
      if (facts) await images.setProperties(tx, imageId, facts.properties)
      await images.move(tx, imageId, { importTaskId: taskId }, {
        importTaskId: null, importingTo: '', failedImport: failed.join(','),
        ...(facts && {
          status: 'active', size, checksum: md5, osHashAlgo: 'sha512', osHashValue: sha512, diskFormat: facts.diskFormat, containerFormat: facts.containerFormat,
          virtualSize: diskSize(facts.containerFormat, facts.virtualSize, size),
        }),
      })
      await tasks.end(tx, taskId, 'success', `Copied ${Math.floor(size / 1024 ** 2)} MiB`, { image_id: imageId }, config.taskLifeMs)
    }, { durable: true }),
  }
}
