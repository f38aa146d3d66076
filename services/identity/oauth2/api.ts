// https://docs.openstack.org/api-ref/identity/v3-ext/#os-oauth2: an application credential in OAuth2's clothes, or a user by his TLS certificate.
import type { IncomingMessage } from 'node:http'
import { Fault } from '#base/errors.ts'
import { readBody } from '#kit/http/body.ts'
import { clientCertificate } from '#kit/http/client-certificate.ts'
import { Reply } from '#kit/http/operation.ts'
import { anyone } from '#kit/policy/rules.ts'
import { operation } from '../deps.ts'
import { issue } from '../tokens/issue.ts'
import { issueByCertificate } from './certificate.ts'

/** https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
const refusal = (status: number, error: string, description: string, headers: Record<string, string> = {}): Reply =>
  new Reply({ status, headers: { 'cache-control': 'no-store', pragma: 'no-cache', ...headers }, body: { error, error_description: description } })

/** Of `Authorization: Basic`, or of the form. */
function clientOf(header: unknown, form: URLSearchParams): { id: string, secret: string } | undefined {
  const basic = /^Basic\s+([A-Za-z0-9+/=_-]+)$/i.exec(String(header ?? ''))?.[1]
  if (basic === undefined) return form.get('client_id') && form.get('client_secret') ? { id: form.get('client_id')!, secret: form.get('client_secret')! } : undefined
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(basic, 'base64').toString('utf8')) ?? []
  return id && secret ? { id, secret } : undefined
}

export const issueAccessToken = operation({
  name: 'issueOauth2Token', method: 'POST', path: '/OS-OAUTH2/token',
  summary: 'Get a token by OAuth2\'s client credentials: the id and secret of an application credential, or a user\'s id and his TLS certificate.', access: anyone, body: 'stream',
  faults: ['tooLarge'],
  async handle(ctx, { stream, headers, urls, remoteAddress }, deps) {
    const form = new URLSearchParams((await readBody(stream as IncomingMessage, 16_384)).toString('utf8'))
    const grantType = form.get('grant_type')
    if (grantType === null) return refusal(400, 'invalid_request', 'The parameter grant_type is required.')
    if (grantType !== 'client_credentials') return refusal(400, 'unsupported_grant_type', `The parameter grant_type ${grantType.slice(0, 60)} is not supported.`)
    const unknown = (): Reply =>
      refusal(401, 'invalid_client', 'Client authentication failed.', { 'www-authenticate': `Keystone uri="${urls.root}"` })
    const client = clientOf(headers.authorization, form)
    const userId = form.get('client_id')
    const certificate = client ? undefined : clientCertificate(stream as IncomingMessage)
    const caller = { root: urls.root, remoteAddress }
    if (!client && !(userId && certificate)) return unknown()
    try {
      const { token, claims } = client
        ? await issue(ctx, deps, { identity: { methods: ['application_credential'], application_credential: client } }, caller)
        : await issueByCertificate(ctx, deps, userId!, certificate!, caller)
      const leftSeconds = Math.max(0, claims.expiresAtSeconds - Math.floor(deps.clock() / 1000))
      return new Reply({
        status: 200, headers: { 'cache-control': 'no-store', pragma: 'no-cache' },
        body: { access_token: token, token_type: 'Bearer', expires_in: leftSeconds },
      })
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      if (error.kind === 'unauthorized') return unknown()
      if (error.kind === 'badRequest') return refusal(400, 'invalid_request', error.message)
      throw error
    }
  },
})
