// What identity's handlers are handed.
import { operationsOf } from '#kit/http/operation.ts'
import type { Keyring } from '#kit/crypto/fernet.ts'
import { seal, unseal } from '#kit/crypto/seal.ts'
import type { Store, Tx } from '#kit/store/store.ts'
import type { Tracer } from '#kit/trace/tracer.ts'
import { oidcProviders, type OidcProviders } from './federation/oidc.ts'
import { blobSealer, type BlobSealer } from './credentials/keys-store.ts'
import { createDirectories, type Directories } from './ldap/directories.ts'
import { openKeyring } from './tokens/keys-store.ts'
import { tokenSealer, type TokenSealer } from './tokens/payload.ts'
import { createPasswords, type PasswordCost, type Passwords } from './passwords/hasher.ts'
import { createLimiter, type LimiterSetup, type FailureLimiter } from './passwords/limiter.ts'
import { checkRules, defaultRules, type SecurityRules } from './passwords/rules.ts'
import type { EnforcementModel } from './limits/model.ts'
import type { IdentityTables } from './schema.ts'

/** What identity's handlers are handed. */
export interface Deps {
  store: Store<IdentityTables>
  keyring: Keyring
  tokens: TokenSealer
  /** For secrets at rest. */
  vault: Vault
  oidc: OidcProviders
  directories: Directories
  /** For the blobs of credentials: rotating keys of their own. */
  blobs: BlobSealer
  passwords: Passwords
  limiter: FailureLimiter
  /** Passcodes have six digits: fewer failures are borne. */
  passcodeLimiter: FailureLimiter
  tracer: Pick<Tracer, 'bind'>
  config: IdentityConfig
  /** Epoch milliseconds. */
  clock(): number
}
/** Seals what must not be read in the database. `owner` says whose it is: what is sealed for one is not opened for another. */
export interface Vault {
  seal(owner: string, value: unknown): string
  /** Throws when it was sealed under another key or for another owner. */
  open(owner: string, sealed: string): unknown
}
const vaultOf = (key: Uint8Array): Vault => ({ seal: (owner, value) => seal(key, owner, value), open: (owner, sealed) => unseal(key, owner, sealed) })
export type IdentityTx = Tx<IdentityTables>
export const operation = operationsOf<Deps>()

/** What an administrator may set: settings.ts reads it from his file. */
export interface IdentityConfig {
  /** How long a token lives. */
  tokenLifeSeconds: number
  /** How long after its end `allow_expired` still tells of a token, for work that outlives it. */
  allowExpiredSeconds: number
  /** The longest list that is answered without being asked for a length; a domain may have its own for users and groups. */
  listLimit?: number
  /** Whether projects' limits have to fit below their domain's. */
  enforcementModel: EnforcementModel
  security: SecurityRules
  /** How long a receipt of a part of the methods is good for the rest. */
  receiptLifeSeconds: number
  /** Passcodes of so many former half minutes are taken beside the present one. */
  totpPreviousWindows: number
  /** How old (and how far ahead) the time of a request signed with an EC2 credential may be. */
  signatureLifeSeconds: number
  maxRedelegation: number
  /** What each may make at will is bounded: keystone leaves that to its `user_limit`s, and trusts to nobody. */
  maxCredentialsPerUser: number
  maxApplicationCredentialsPerUser: number
  maxTrustsPerUser: number
  /** The mapping that says whose a TLS certificate is. */
  oauth2MappingId: string
}
export const defaultConfig: IdentityConfig = {
  tokenLifeSeconds: 3600, allowExpiredSeconds: 172_800, receiptLifeSeconds: 300, totpPreviousWindows: 1, signatureLifeSeconds: 900,
  maxRedelegation: 3, maxCredentialsPerUser: 500, maxApplicationCredentialsPerUser: 1000, maxTrustsPerUser: 10_000,
  enforcementModel: 'flat', security: defaultRules, oauth2MappingId: 'oauth2_mapping',
}

/** How long a seal under the keyring may be worth something: how long its key is kept. */
export const longestSealSeconds = ({ tokenLifeSeconds, allowExpiredSeconds }: IdentityConfig): number => tokenLifeSeconds + allowExpiredSeconds

/** What identity is made of. */
export interface DepsSetup {
  store: Store
  tracer: Pick<Tracer, 'bind'>
  /** 32 bytes, the same in every control plane of the cloud and at every start. */
  sealKey: Uint8Array
  config?: Partial<IdentityConfig>
  /** Cheaper for tests; never anywhere else. */
  passwordCost?: PasswordCost
  passwordQueue?: { running: number, waiting: number }
  limiter?: LimiterSetup
  clock?: () => number
}

/** Identity's deps over a migrated database; its keys are made on the first call ever. */
export async function identityDeps(setup: DepsSetup): Promise<Deps> {
  checkRules(setup.config?.security ?? defaultRules)
  const store = setup.store.as<IdentityTables>(), clock = setup.clock ?? Date.now
  const keyring = await openKeyring(store, clock), vault = vaultOf(setup.sealKey)
  return {
    store, keyring, oidc: oidcProviders(clock), directories: createDirectories({ store, vault, clock }),
    tokens: tokenSealer(keyring), vault, blobs: blobSealer(store, vault, clock),
    passwords: createPasswords(setup.passwordCost, setup.passwordQueue), limiter: createLimiter(store, { clock, ...setup.limiter }),
    passcodeLimiter: createLimiter(store, {
      name: 'passcode', clock,
      pair: { burst: 5, everySeconds: 60 }, source: { burst: 60, everySeconds: 5 }, user: { burst: 20, everySeconds: 60 },
    }),
    tracer: setup.tracer, config: { ...defaultConfig, ...setup.config }, clock,
  }
}
