// Every operation of every service, tried over HTTP on a whole cloud by users with real tokens. What each should see lies beside the operation, in
// its noun's access.ts; an operation without it fails.
import { after, before } from 'node:test'
import { services } from '#services/index.ts'
import { runAccess } from '#kit/testing/run-access.ts'
import { testCloud, type TestCloud } from './cloud.ts'
import { cloudWorld, roomy, type CloudWorld } from './world.ts'

let cloud: TestCloud, world: CloudWorld
before(async () => {
  cloud = await testCloud(roomy)
  world = await cloudWorld(cloud)
})
after(() => cloud?.close())

for (const { http, access } of services) runAccess(http, await access(), () => world)
