// OAuth1's tables as code sees them. Secrets are sealed.
export interface OAuth1Tables {
  identityConsumers: ConsumerRow
  identityRequestTokens: RequestTokenRow
  identityAccessTokens: AccessTokenRow
}
export interface ConsumerRow { id: string, description: string | null, secret: string, extra: string }
export interface RequestTokenRow {
  id: string
  consumerId: string
  secret: string
  projectId: string
  /** Who allowed it, with what he must be told by the user: null until then. */
  userId: string | null
  verifier: string | null
  /** JSON list of role ids. */
  roleIds: string
  expiresAtSeconds: number
}
export interface AccessTokenRow extends Omit<RequestTokenRow, 'userId' | 'verifier'> { userId: string }
