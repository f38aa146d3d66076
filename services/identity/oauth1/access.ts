import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { sign } from '../testing/oauth1-signing.ts'
import { scoped, verdicts } from '../testing/verdicts.ts'

/** A consumer with its secret. */
const consumer = async (w: AccessWorld): Promise<{ id: string, secret: string, links: { self: string } }> =>
  (await w.call('admin', 'identity', 'createConsumer', { body: { consumer: { description: w.unique('consumer') } } })).body.consumer
const aConsumer = async (w: AccessWorld) => ({ params: { consumer_id: (await consumer(w)).id } })
/** Where a path of its own links begins: what is signed names the whole URL. */
const base = (one: { links: { self: string } }): string => one.links.self.split('/consumers')[0]!
const formOf = (answer: { body: unknown }) => Object.fromEntries(new URLSearchParams(String(answer.body))) as Record<string, string>

const asking = async (w: AccessWorld) => {
  const one = await consumer(w), { id, secret } = one
  const authorization = sign({ url: `${base(one)}/request_token`, consumerKey: id, consumerSecret: secret, callback: 'oob' })
  return { id, secret, at: base(one), call: { headers: { 'requested-project-id': w.projectId, authorization } } }
}
const requested = async (w: AccessWorld) => {
  const { id, secret, at, call } = await asking(w)
  const { oauth_token: token, oauth_token_secret: tokenSecret } = formOf(await w.call('admin', 'identity', 'createRequestToken', call))
  const role = (await w.call('admin', 'identity', 'listRoles', { query: { name: 'reader' } })).body.roles[0].id as string
  await w.call('admin', 'identity', 'createProjectUserGrant', { params: { project_id: w.projectId, user_id: w.userId('admin'), role_id: role } })
  return { id, secret, at, token: token!, tokenSecret: tokenSecret!, role, authorize: { params: { request_token_id: token! }, body: { roles: [{ id: role }] } } }
}
const allowed = async (w: AccessWorld) => {
  const { id, secret, at, token, tokenSecret, role, authorize } = await requested(w)
  const verifier = (await w.call('admin', 'identity', 'authorizeRequestToken', authorize)).body.token.oauth_verifier as string
  return { role, call: { headers: { authorization: sign({ url: `${at}/access_token`, consumerKey: id, consumerSecret: secret, token, tokenSecret, verifier }) } } }
}
const accessToken = async (w: AccessWorld) => {
  const { role, call } = await allowed(w)
  return { params: { user_id: w.userId('admin'), access_token_id: formOf(await w.call('admin', 'identity', 'createAccessToken', call)).oauth_token!, role_id: role } }
}
const projectAdmin = (ok = 200) => ({ ...verdicts.admin(ok), ...scoped.all(403) })

export const access: AccessCase[] = [
  { operation: 'listConsumers', expect: verdicts.systemReader() },
  { operation: 'showConsumer', request: aConsumer, expect: verdicts.systemReader() },
  { operation: 'createConsumer', request: () => ({ body: { consumer: {} } }), expect: verdicts.admin(201) },
  { operation: 'updateConsumer', request: async (w) => ({ ...await aConsumer(w), body: { consumer: { description: 'x' } } }), expect: verdicts.admin() },
  { operation: 'deleteConsumer', request: aConsumer, expect: verdicts.admin(204) },
  { operation: 'createRequestToken', request: async (w) => (await asking(w)).call, expect: verdicts.everybody(201) },
  { operation: 'authorizeRequestToken', request: async (w) => (await requested(w)).authorize, expect: projectAdmin() },
  { operation: 'createAccessToken', request: async (w) => (await allowed(w)).call, expect: verdicts.everybody(201) },
  { operation: 'listAccessTokens', request: accessToken, expect: projectAdmin() },
  { operation: 'showAccessToken', request: accessToken, expect: projectAdmin() },
  { operation: 'deleteAccessToken', request: accessToken, expect: projectAdmin(204) },
  { operation: 'listAccessTokenRoles', request: accessToken, expect: projectAdmin() },
  { operation: 'showAccessTokenRole', request: accessToken, expect: projectAdmin() },
]
