import { createHmac } from 'node:crypto'
import type { AccessCase, AccessWorld, Verdict } from '#kit/testing/access.ts'
import { scoped, verdicts } from '../testing/verdicts.ts'

const body = (w: AccessWorld) => ({ credential: { user_id: w.userId('member'), type: 'cert', blob: 'x' } })
const made = async (w: AccessWorld) => ({ params: { credential_id: String((await w.call('member', 'identity', 'createCredential', { body: body(w) })).body.credential.id) } })
const own = (member: number): Verdict => ({ ...verdicts.everybody(404), ...scoped.anySystemReader(member, 404), nobody: 401, member, admin: member })

const user = (w: AccessWorld) => ({ params: { user_id: w.userId('member') } })
const ec2 = async (w: AccessWorld) => {
  const { body } = await w.call('member', 'identity', 'createEc2Credential', { ...user(w), body: { tenant_id: w.projectId } })
  const { credential } = body as { credential: { access: string, secret: string } }
  return { ...credential, call: { params: { user_id: w.userId('member'), credential_id: credential.access } } }
}
const sign = (secret: string, text: string): string => createHmac('sha1', secret).update(text).digest('base64')

export const access: AccessCase[] = [
  { operation: 'createCredential', request: (w) => ({ body: body(w) }), expect: { ...verdicts.everybody(403), ...scoped.anyAdmin(201), nobody: 401, member: 201, admin: 201 } },
  { operation: 'listCredentials', expect: verdicts.authenticated() },
  { operation: 'showCredential', request: made, expect: own(200) },
  { operation: 'updateCredential', request: async (w) => ({ ...await made(w), body: { credential: { blob: 'y' } } }), expect: { ...own(200), systemReader: 403 } },
  { operation: 'deleteCredential', request: made, expect: { ...own(204), systemReader: 403 } },
  { operation: 'createEc2Credential', request: (w) => ({ ...user(w), body: { tenant_id: w.projectId } }), expect: { ...own(201), ...scoped.admin(201), reader: 403 } },
  { operation: 'createEc2Credential', about: 'as a reader', request: (w) => ({ params: { user_id: w.userId('reader') }, body: { tenant_id: w.projectId } }),
    expect: { ...verdicts.everybody(404), ...scoped.admin(201), nobody: 401, reader: 403, admin: 201 } },
  { operation: 'listEc2Credentials', request: user, expect: { ...own(200), ...scoped.systemReader(200) } },
  { operation: 'showEc2Credential', request: async (w) => (await ec2(w)).call, expect: { ...own(200), ...scoped.systemReader(200) } },
  { operation: 'deleteEc2Credential', request: async (w) => (await ec2(w)).call, expect: { ...own(204), ...scoped.admin(204), reader: 403 } },
  { operation: 'createEc2Token', expect: verdicts.anyAdmin(), async request(w) {
    const { access, secret } = await ec2(w)
    const params = { SignatureVersion: '0', Action: 'Test', Timestamp: new Date().toISOString() }
    return { body: { credentials: { access, params, signature: sign(secret, params.Action + params.Timestamp) } } }
  } },
  { operation: 'createS3Token', expect: verdicts.anyAdmin(), async request(w) {
    const { access, secret } = await ec2(w)
    return { body: { credentials: { access, token: Buffer.from('GET\n\n\n').toString('base64'), signature: sign(secret, 'GET\n\n\n') } } }
  } },
]
