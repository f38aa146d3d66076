import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { privateImage } from '../images/access.ts'

/** Members are refused before anybody looks whether there is such an image. */
export const access: AccessCase[] = [
  { operation: 'showImageCache', expect: verdicts.admin() },
  { operation: 'queueImageForCache', request: (w) => privateImage(w), expect: verdicts.admin(202) },
  { operation: 'removeImageFromCache', request: (w) => privateImage(w), expect: verdicts.admin(204) },
  { operation: 'cleanImageCache', expect: verdicts.admin() },
  { operation: 'pruneImageCache', expect: verdicts.admin() },
  { operation: 'clearImageCache', expect: verdicts.admin(204) },
]
