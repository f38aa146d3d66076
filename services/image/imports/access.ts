import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { privateImage } from '../images/access.ts'
import { stagedImage } from '../stage/access.ts'

export const access: AccessCase[] = [
  { operation: 'importImage', request: async (w) => ({ ...await stagedImage(w), body: { method: { name: 'glance-direct' } } }), expect: verdicts.member(202) },
  { operation: 'importImage', about: 'copying', request: async (w) => ({ ...await privateImage(w), body: { method: { name: 'copy-image' }, all_stores: true } }),
    expect: { ...verdicts.member(403), admin: 202 } },
]
