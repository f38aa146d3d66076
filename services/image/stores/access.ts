import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { privateImage } from '../images/access.ts'

export const access: AccessCase[] = [
  // The last copy stays, whoever asks: what it takes to be refused for that is the administrator's role.
  { operation: 'removeImageFromStore', request: async (w) => {
    const { params } = await privateImage(w)
    const { body } = await w.call('member', 'image', 'showImage', { params })
    return { params: { ...params, store_id: body.stores.split(',')[0] } }
  }, expect: { ...verdicts.admin(403) } },
]
