// What a token says, packed small and sealed: some 200 characters. All rights are read afresh when it is shown.
import { randomBytes } from 'node:crypto'
import { openFernet, sealFernet, type Keyring } from '#kit/crypto/fernet.ts'

/** What a token is for. */
export type Scope = { kind: 'unscoped' } | { kind: 'project', id: string } | { kind: 'domain', id: string } | { kind: 'system' }

/** What is sealed in a token. */
export interface Claims {
  userId: string
  methods: string[]
  scope: Scope
  /** This token's own, then that of the first of the chain it was made from. */
  auditIds: string[]
  issuedAtSeconds: number
  expiresAtSeconds: number
  /** Generations of the user and of the scope's project or domain when it was issued. */
  userGeneration: number
  scopeGeneration: number
  applicationCredentialId?: string
  /** Somebody another identity provider vouches for. */
  identityProviderId?: string
  protocolId?: string
  /** OAuth1's. */
  accessTokenId?: string
  /** The trust it came by (the user is the trustee then, whomever he stands for), and the trustor's generation at the time. */
  trustId?: string
  trustorGeneration?: string
  /** It holds beside this TLS certificate only. */
  certificateThumbprint?: string
}

/** 16 random bytes as 22 characters, as keystone writes them. */
export const newAuditId = (): string => randomBytes(16).toString('base64url')

/** The id that assignments know the scope by; empty without one. */
export const scopeId = (scope: Scope): string => (scope.kind === 'project' || scope.kind === 'domain' ? scope.id : scope.kind === 'system' ? 'system' : '')

const format = 2
const methodBits = ['password', 'token', 'application_credential', 'totp', 'external', 'mapped', 'oauth1', 'ec2credential', 'oauth2_credential'] as const
/** Claims that most tokens do not make: each that is there is written with its place in this list. Only ever added to. */
const optional = ['applicationCredentialId', 'identityProviderId', 'protocolId', 'accessTokenId', 'trustId', 'trustorGeneration', 'certificateThumbprint'] as const
const kinds = ['unscoped', 'project', 'domain', 'system'] as const

const u8 = (n: number): Buffer => Buffer.of(n)
const u32 = (n: number): Buffer => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b }
const u40 = (n: number): Buffer => { const b = Buffer.alloc(5); b.writeUIntBE(n, 0, 5); return b }
/** Ids are nearly always 32 hex digits: 16 bytes. Others (users of other directories) go as text. */
const id = (text: string): Buffer => {
  if (/^[0-9a-f]{32}$/.test(text)) return Buffer.concat([u8(0), Buffer.from(text, 'hex')])
  const bytes = Buffer.from(text)
  return Buffer.concat([u8(bytes.length + 1), bytes])
}

/** As few bytes as it takes: ids of 32 digits as 16 bytes, times as numbers. */
export function pack(claims: Claims): Buffer {
  const methods = claims.methods.reduce((bits, m) => { const i = methodBits.indexOf(m as 'password'); return i < 0 ? bits : bits | 1 << i }, 0)
  const audits = claims.auditIds.map((a) => Buffer.from(a, 'base64url'))
  return Buffer.concat([
    Buffer.of(format, kinds.indexOf(claims.scope.kind), audits.length, methods >> 8, methods & 255),
    id(claims.userId), ...('id' in claims.scope ? [id(claims.scope.id)] : []), ...audits,
    u40(claims.expiresAtSeconds), u32(claims.userGeneration), u32(claims.scopeGeneration),
    ...optional.flatMap((name, i) => (claims[name] ? [u8(i), id(claims[name])] : [])),
  ])
}

/** Only what `pack` made comes here, sealed; a format of another release is no token. */
export function unpack(bytes: Buffer, issuedAtSeconds: number): Claims | undefined {
  if (bytes[0] !== format) return undefined
  const methods = bytes.readUInt16BE(3)
  let at = 5
  const take = (n: number): Buffer => bytes.subarray(at, at += n)
  const takeId = (): string => { const n = take(1)[0]!; return n === 0 ? take(16).toString('hex') : take(n - 1).toString() }
  const kind = kinds[bytes[1]!]!
  const userId = takeId()
  const scope: Scope = kind === 'project' || kind === 'domain' ? { kind, id: takeId() } : { kind }
  const auditIds = Array.from({ length: bytes[2]! }, () => take(16).toString('base64url'))
  const expiresAtSeconds = take(5).readUIntBE(0, 5), userGeneration = take(4).readUInt32BE()
  const scopeGeneration = take(4).readUInt32BE()
  const claims: Claims = { userId, scope, auditIds, methods: methodBits.filter((_m, i) => methods & 1 << i), issuedAtSeconds, expiresAtSeconds, userGeneration, scopeGeneration }
  while (at < bytes.length) claims[optional[take(1)[0]!]!] = takeId()
  return claims
}

/** Makes tokens of claims and claims of tokens. */
export interface TokenSealer {
  seal(claims: Claims): string
  /** What a token of this cloud says, whether or not it still holds; undefined for anything else. */
  open(text: string): Promise<Claims | undefined>
}

export const tokenSealer = (keyring: Keyring): TokenSealer => ({
  seal: (claims) => sealFernet(keyring.keys[0]!, pack(claims), claims.issuedAtSeconds),
  async open(text) {
    await keyring.fresh()
    let opened = openFernet(keyring.keys, text)
    // Another control plane may have sealed it under a newer key.
    if (!opened && text.startsWith('gAAAA') && await keyring.refresh()) opened = openFernet(keyring.keys, text)
    return opened && unpack(opened.payload, opened.sealedAtSeconds)
  },
})
