// Servers have no volumes before there is a block storage service; clients ask all the same.
// https://docs.openstack.org/api-ref/compute/#list-volume-attachments-for-an-instance
import { operation } from '../deps.ts'
import * as policy from './policy.ts'
import { target } from './target.ts'

export const listVolumeAttachments = operation({
  name: 'listVolumeAttachments', method: 'GET', path: '/servers/{server_id}/os-volume_attachments', summary: 'List a server\'s volumes: there are none yet.', access: policy.show, target,
  handle: async () => ({ volumeAttachments: [] }),
})
