// Ports by the device that uses them.
import type { NetworkTx } from '../deps.ts'
import { padded } from '../resource/store.ts'
import type { PortRow } from '../schema.ts'

/** Only ports that one of our services bound: a tenant may write any device into a port of his own. */
export const ofDevices = async (tx: NetworkTx, deviceIds: string[]): Promise<PortRow[]> => deviceIds.length === 0 ? [] :
  tx.db.selectFrom('networkPorts').selectAll().where('deviceId', 'in', padded(deviceIds)).where('host', '!=', '').orderBy('createdAt').orderBy('id').execute()
