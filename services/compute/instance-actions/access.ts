import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { makeServer } from '../servers/access.ts'

export const access: AccessCase[] = [
  { operation: 'listInstanceActions', request: async (w) => ({ params: { server_id: await makeServer(w) } }), expect: verdicts.reader() },
  { operation: 'showInstanceAction', request: async (w) => {
    const server_id = await makeServer(w)
    const { instanceActions } = (await w.call('member', 'compute', 'listInstanceActions', { params: { server_id } })).body
    return { params: { server_id, request_id: instanceActions[0].request_id } }
  }, expect: verdicts.reader() },
]
