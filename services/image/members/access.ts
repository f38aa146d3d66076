import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'
import { privateImage } from '../images/access.ts'

const shared = async (w: AccessWorld): Promise<{ params: { image_id: string, member_id: string } }> => {
  const { params } = await privateImage(w, 'shared')
  await w.call('member', 'image', 'addImageMember', { params, body: { member: w.otherProjectId } })
  return { params: { ...params, member_id: w.otherProjectId } }
}

export const access: AccessCase[] = [
  { operation: 'listImageMembers', request: shared, expect: verdicts.listing() },
  { operation: 'showImageMember', request: shared, expect: verdicts.listing() },
  { operation: 'addImageMember', request: async (w) => ({ ...await privateImage(w, 'shared'), body: { member: w.otherProjectId } }), expect: verdicts.member(200) },
  // Whether to take an image is its member's alone.
  { operation: 'updateImageMember', request: async (w) => ({ ...await shared(w), body: { status: 'accepted' } }),
    expect: { nobody: 401, reader: 403, member: 403, manager: 403, admin: 200, other: 200 } },
  { operation: 'removeImageMember', request: shared, expect: { ...verdicts.member(204), other: 403 } },
]
