import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { privateImage, queuedImage } from '../images/access.ts'

export const access: AccessCase[] = [
  { operation: 'listImageLocations', request: (w) => privateImage(w), expect: verdicts.admin() },
  { operation: 'addImageLocation', request: async (w) => ({ ...await queuedImage(w), body: { url: 'http://192.0.2.1/image' } }), expect: verdicts.member(403) },
]
