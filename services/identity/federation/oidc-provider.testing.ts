// A real OpenID provider on the loopback, for tests: everybody who gives a name is that one.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Person { groups: string[], email: string }
export interface TestProvider { server: Server, issuer: string, close(): void }
export const audience = 'urn:pileus'

/** Clients `pileus` (secret `the-client-secret`) and `stranger` (`another-secret`); whoever's password is `correct` gets an access token. */
export async function startProvider(people: Record<string, Person>, redirectUri: string): Promise<TestProvider> {
  const { default: Provider } = await import('oidc-provider' as string) as any
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      { client_id: 'pileus', client_secret: 'the-client-secret', redirect_uris: [redirectUri], grant_types: ['authorization_code', 'password', 'client_credentials'], response_types: ['code'] },
      { client_id: 'stranger', client_secret: 'another-secret', redirect_uris: ['https://stranger.example/'], grant_types: ['password'], response_types: [] },
    ],
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'], email: ['email'] }, scopes: ['openid', 'profile', 'email'],
    findAccount: (_ctx: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id, preferred_username: id, ...people[id] }) }),
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: true }, introspection: { enabled: true, allowedPolicy: () => true }, clientCredentials: { enabled: true },
      resourceIndicators: { enabled: true, defaultResource: (ctx: any) => (ctx.oidc.params?.grant_type === 'client_credentials' ? audience : undefined), getResourceServerInfo: () => ({ scope: 'openid profile', audience, accessTokenFormat: 'jwt', accessTokenTTL: 600 }), useGrantedResource: () => true },
    },
    cookies: { keys: ['a-key'] },
    ttl: { AccessToken: 600, AuthorizationCode: 60, ClientCredentials: 600, IdToken: 600, Grant: 600, Session: 600, Interaction: 600 },
    extraTokenClaims: async (_ctx: unknown, token: any) => ({ groups: people[token.accountId ?? token.clientId]?.groups, preferred_username: token.accountId ?? token.clientId, email: people[token.accountId ?? token.clientId]?.email }),
  })
  // Clients of the command line send a password: an older grant, which this provider leaves to those who want it.
  provider.registerGrantType('password', async (ctx: any) => {
    const { username, password, scope, resource } = ctx.oidc.params
    if (password !== 'correct') { ctx.status = 400; ctx.body = { error: 'invalid_grant' }; return }
    const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: username })
    if (resource) grant.addResourceScope(resource, 'openid profile')
    else grant.addOIDCScope(scope)
    const token = new provider.AccessToken({ accountId: username, client: ctx.oidc.client, grantId: await grant.save(), gty: 'password', scope })
    if (resource) token.resourceServer = new provider.ResourceServer(resource, { scope: 'openid profile', audience, accessTokenFormat: 'jwt', accessTokenTTL: 600 })
    ctx.oidc.entity('AccessToken', token)
    ctx.body = { access_token: await token.save(), token_type: 'Bearer', expires_in: 600, scope }
  }, ['username', 'password', 'scope', 'resource'], ['resource'])
  server.on('request', provider.callback())
  return { server, issuer, close() { server.close(); server.closeAllConnections() } }
}
