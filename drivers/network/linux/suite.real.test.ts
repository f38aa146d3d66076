// The behaviour suite over the real driver. Needs root, iproute2, nftables, dnsmasq.
import { join } from 'node:path'
import { networkDriverSuite } from '../suite.ts'
import { createLinuxNetworkDriver } from './driver.ts'
import { newCloudId, scratchFolder } from './bed.testing.ts'

const cloudId = newCloudId(), stateDir = join(await scratchFolder(), 'state')
networkDriverSuite('linux', async () => createLinuxNetworkDriver({ cloudId, stateDir }))
