import { Readable } from 'node:stream'
import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'
import { octets, queuedImage } from '../images/access.ts'

/** An image whose data waits for its import. */
export const stagedImage = async (w: AccessWorld): Promise<{ params: { image_id: string } }> => {
  const { params } = await queuedImage(w)
  await w.call('member', 'image', 'stageImage', { params, stream: Readable.from([Buffer.alloc(512)]) })
  return { params }
}
const piece = (): { stream: Readable, headers: Record<string, string> } => {
  const { stream, headers } = octets()
  return { stream, headers: { ...headers, 'upload-offset': '0' } }
}

export const access: AccessCase[] = [
  { operation: 'stageImage', request: async (w) => ({ ...await queuedImage(w), ...octets() }), expect: verdicts.member(204) },
  { operation: 'appendToStage', request: async (w) => ({ ...await queuedImage(w), ...piece() }), expect: verdicts.member(204) },
  { operation: 'showStage', request: stagedImage, expect: verdicts.member(200) },
  { operation: 'removeStage', request: stagedImage, expect: verdicts.member(204) },
]
