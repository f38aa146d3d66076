import { waitFor } from '#base/retry.ts'
import type { Call } from '#kit/http/client.ts'
import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'

/** A server of the member's, without a network, once it is ACTIVE. */
export async function makeServer(w: AccessWorld): Promise<string> {
  await w.call('admin', 'compute', 'updateQuota', { params: { tenant_id: w.projectId }, body: { quota_set: { instances: -1, cores: -1, ram: -1, force: true } } })
  const { body } = await w.call('member', 'compute', 'createServer', await createBody(w))
  const id: string = body.server.id
  await waitFor('a server to be ACTIVE', async () => {
    const { server } = (await w.call('member', 'compute', 'showServer', { params: { server_id: id } })).body
    if (server.status === 'ERROR') throw new Error(`the fixture's server failed: ${JSON.stringify(server.fault)}`)
    return server.status === 'ACTIVE' || undefined
  }, 20_000, 15)
  return id
}

async function createBody(w: AccessWorld): Promise<Call> {
  // On a whole cloud other cases make images of their own.
  const { images } = (await w.call('member', 'image', 'listImages', { query: { visibility: 'public', status: 'active', sort: 'created_at:asc' } })).body
  const { flavor } = (await w.call('admin', 'compute', 'createFlavor', { body: { flavor: { name: w.unique('flavor'), ram: 64, vcpus: 1, disk: 1 } } })).body
  return { body: { server: { name: w.unique('server'), imageRef: images[0].id, flavorRef: flavor.id, networks: 'none' } } }
}

const on = async (w: AccessWorld, more: Record<string, string> = {}): Promise<Call & { params: Record<string, string> }> => ({ params: { server_id: await makeServer(w), ...more } })
const with_ = (body: unknown, more: Record<string, string> = {}) => async (w: AccessWorld): Promise<Call> => ({ ...await on(w, more), body })
/** After the member did something with it. */
const after = (operation: string, body: unknown, then: unknown = null) => async (w: AccessWorld): Promise<Call> => {
  const call = await on(w), busy = async (): Promise<boolean> => (await w.call('member', 'compute', 'showServer', { params: call.params })).body.server['OS-EXT-STS:task_state'] !== null
  await w.call('member', 'compute', operation, { params: call.params, body })
  await waitFor(`${operation} to end`, async () => (await busy() ? undefined : true), 20_000)
  return { ...call, body: then }
}
const tagged = async (w: AccessWorld): Promise<Call> => {
  const call = await on(w, { tag: 'red' })
  await w.call('member', 'compute', 'replaceServerTags', { params: call.params, body: { tags: ['red'] } })
  return call
}
const withKey = async (w: AccessWorld): Promise<Call> => {
  const call = await on(w, { key: 'color' })
  await w.call('member', 'compute', 'createServerMetadata', { params: call.params, body: { metadata: { color: 'red' } } })
  return call
}
const acting = verdicts.member(202)

export const access: AccessCase[] = [
  { operation: 'listServers', expect: verdicts.listing() },
  { operation: 'listServersDetailed', expect: verdicts.listing() },
  { operation: 'listServersDetailed', about: 'of all projects', request: () => ({ query: { all_tenants: '1' } }), expect: verdicts.admin() },
  { operation: 'createServer', request: createBody, expect: verdicts.creating(202) },
  { operation: 'createServer', about: 'on a chosen host', request: async (w) => {
    const { server } = (await createBody(w)).body as { server: object }
    return { body: { server: { ...server, host: 'nowhere' } } }
  }, expect: { nobody: 401, reader: 403, member: 403, manager: 403, admin: 400, other: 403 } },
  { operation: 'showServer', request: on, expect: verdicts.reader() },
  { operation: 'updateServer', request: with_({ server: { name: 'renamed' } }), expect: verdicts.member(200) },
  { operation: 'deleteServer', request: on, expect: verdicts.member(204) },
  { operation: 'forceDeleteServer', request: on, expect: acting },
  { operation: 'stopServer', request: on, expect: acting },
  { operation: 'startServer', request: after('stopServer', null), expect: acting },
  { operation: 'rebootServer', request: with_({ type: 'SOFT' }), expect: acting },
  { operation: 'pauseServer', request: on, expect: acting },
  { operation: 'unpauseServer', request: after('pauseServer', null), expect: acting },
  { operation: 'suspendServer', request: on, expect: acting },
  { operation: 'resumeServer', request: after('suspendServer', null), expect: acting },
  { operation: 'showConsoleOutput', request: with_({ length: 5 }), expect: verdicts.member(200) },
  { operation: 'lockServer', request: on, expect: acting },
  { operation: 'unlockServer', request: after('lockServer', null), expect: acting },
  { operation: 'unlockServer', about: 'what an administrator locked', request: async (w) => {
    const call = await on(w)
    await w.call('admin', 'compute', 'lockServer', { params: call.params })
    return call
  }, expect: { nobody: 401, reader: 403, member: 403, manager: 403, admin: 202, other: 404 } },
  { operation: 'resetServerState', request: with_({ state: 'error' }), expect: verdicts.admin(202) },
  // Without a port there is nothing to put a group on: whoever may ask is told so.
  { operation: 'addServerSecurityGroup', request: with_({ name: 'default' }), expect: verdicts.member(400) },
  { operation: 'removeServerSecurityGroup', request: with_({ name: 'default' }), expect: verdicts.member(400) },
  { operation: 'listServerSecurityGroups', request: on, expect: verdicts.reader() },
  { operation: 'listSecurityGroups', request: () => ({ version: '2.35' }), expect: verdicts.listing() },
  { operation: 'showSecurityGroup', about: 'that is not there', request: () => ({ params: { security_group_id: '00000000-0000-4000-8000-000000000000' }, version: '2.35' }), expect: verdicts.listing(404) },
  { operation: 'listServerMetadata', request: on, expect: verdicts.reader() },
  { operation: 'createServerMetadata', request: with_({ metadata: { a: 'b' } }), expect: verdicts.member(200) },
  { operation: 'replaceServerMetadata', request: with_({ metadata: { a: 'b' } }), expect: verdicts.member(200) },
  { operation: 'showServerMetadataItem', request: withKey, expect: verdicts.reader() },
  { operation: 'updateServerMetadataItem', request: with_({ meta: { color: 'b' } }, { key: 'color' }), expect: verdicts.member(200) },
  { operation: 'deleteServerMetadataItem', request: withKey, expect: verdicts.member(204) },
  { operation: 'listServerTags', request: on, expect: verdicts.reader() },
  { operation: 'replaceServerTags', request: with_({ tags: ['red'] }), expect: verdicts.member(200) },
  { operation: 'deleteServerTags', request: on, expect: verdicts.member(204) },
  { operation: 'checkServerTag', request: tagged, expect: verdicts.reader(204) },
  { operation: 'addServerTag', request: (w) => on(w, { tag: 'blue' }), expect: verdicts.member(201) },
  { operation: 'deleteServerTag', request: tagged, expect: verdicts.member(204) },
  { operation: 'listServerAddresses', request: on, expect: verdicts.reader() },
  { operation: 'showServerAddresses', about: 'on a network it is not on', request: (w) => on(w, { network_label: 'nowhere' }), expect: { ...verdicts.reader(404) } },
  { operation: 'listServerInterfaces', request: on, expect: verdicts.reader() },
  { operation: 'showServerInterface', about: 'that it does not have', request: (w) => on(w, { port_id: '00000000-0000-4000-8000-000000000000' }), expect: verdicts.reader(404) },
  { operation: 'showServerTrace', request: on, expect: verdicts.reader() },
  { operation: 'listVolumeAttachments', request: on, expect: verdicts.reader() },
]
