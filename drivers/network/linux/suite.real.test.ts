// The behaviour suite over the real driver. Needs root, iproute2, nftables, dnsmasq.
import { join } from 'node:path'
import { networkDriverSuite } from '../suite.ts'
import { createLinuxNetworkDriver } from './driver.ts'
import { newCloudId, onOwnHost, scratchFolder } from './bed.testing.ts'

const { inside } = await onOwnHost(import.meta.url)

const cloudId = newCloudId(), stateDir = join(await scratchFolder(), 'state')
if (inside) networkDriverSuite('linux', async () => createLinuxNetworkDriver({ cloudId, stateDir }))
