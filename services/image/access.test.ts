import { after, before } from 'node:test'
import { runAccess, worldOf } from '#kit/testing/run-access.ts'
import { image } from './service.ts'
import { startImage, type ImageTest } from './testing/start.ts'

let api: ImageTest
before(async () => { api = await startImage() })
after(() => api.close())
runAccess(image.http, await image.access(), () => ({ api, world: worldOf(api, { userId: () => 'user' }) }))
