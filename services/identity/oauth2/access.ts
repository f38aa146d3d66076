import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { verdicts } from '../testing/verdicts.ts'
import { Readable } from 'node:stream'

const form = (fields: Record<string, string>) =>
  ({ stream: Readable.from([Buffer.from(new URLSearchParams(fields).toString())]), headers: { 'content-type': 'application/x-www-form-urlencoded' } })
const client = async (w: AccessWorld) => {
  const call = { params: { user_id: w.userId('member') }, body: { application_credential: { name: w.unique('client') } } }
  const { id, secret } = (await w.call('member', 'identity', 'createApplicationCredential', call)).body.application_credential
  return form({ grant_type: 'client_credentials', client_id: id, client_secret: secret })
}

export const access: AccessCase[] = [
  { operation: 'issueOauth2Token', request: client, expect: verdicts.everybody() },
]
