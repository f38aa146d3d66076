// The administrator's file about identity (README.md shows one): JSON, every key optional, unknown ones refused.
import { check, exact, nullable, oneOf, Type, VersionedSchema, type Static } from '#kit/http/schema.ts'
import type { IdentityConfig } from './deps.ts'
import { checkRules, defaultRules, type SecurityRules } from './passwords/rules.ts'

const seconds = Type.Optional(Type.Integer({ minimum: 1, maximum: 315_360_000 }))
const some = Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 }))
const many = Type.Optional(Type.Integer({ minimum: 0, maximum: 100 }))
const schema = exact({
  tokenLifeSeconds: seconds, allowExpiredSeconds: seconds, receiptLifeSeconds: seconds, signatureLifeSeconds: seconds,
  totpPreviousWindows: many, maxRedelegation: many, maxCredentialsPerUser: some, maxApplicationCredentialsPerUser: some,
  maxTrustsPerUser: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })), listLimit: some,
  enforcementModel: Type.Optional(oneOf('flat', 'strict_two_level')), oauth2MappingId: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  security: Type.Optional(exact({
    passwordRegex: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
    passwordRegexDescription: Type.Optional(Type.String({ maxLength: 1024 })), passwordExpiresDays: some,
    uniqueLastPasswordCount: many, minimumPasswordAgeDays: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })), lockoutFailureAttempts: some,
    /** null: until an administrator enables the user. */
    lockoutDurationSeconds: Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: 315_360_000 }))),
    changePasswordUponFirstUse: Type.Optional(Type.Boolean()), disableUserAccountDaysInactive: some,
  })),
})
const versioned = new VersionedSchema(schema)

/** Checks the file's value; throws badRequest that names the key and what is wrong with it, SyntaxError for a pattern that is none. */
export function identitySettings(value: unknown): Partial<IdentityConfig> {
  check(versioned, 0, value)
  const { security, ...rest } = value as Static<typeof schema>
  if (!security) return rest as Partial<IdentityConfig>
  const { lockoutDurationSeconds, ...others } = { ...defaultRules, ...security }
  const rules: SecurityRules = { ...others, ...(typeof lockoutDurationSeconds === 'number' && { lockoutDurationSeconds }) }
  checkRules(rules)
  if (rules.passwordExpiresDays && (rules.minimumPasswordAgeDays ?? 0) >= rules.passwordExpiresDays) {
    throw new RangeError('security.minimumPasswordAgeDays must be less than passwordExpiresDays: nobody could change a password before it ends')
  }
  return { ...rest as Partial<IdentityConfig>, security: rules }
}
