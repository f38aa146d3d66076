// What operators demand of passwords and log-ins: keystone's security_compliance. Everything is off until it is set.
import { createHash } from 'node:crypto'
import { badRequest } from '#base/errors.ts'
import type { Deps, IdentityTx } from '../deps.ts'
import type { UserRow } from '../schema.ts'
import * as store from './store.ts'

/** keystone's `[security_compliance]`; undefined: no such rule. */
export interface SecurityRules {
  /** A password that it does not match is refused, with the description. */
  passwordRegex?: string
  passwordRegexDescription?: string
  /** A password lives so long. */
  passwordExpiresDays?: number
  /** So many passwords, the new one counted, must differ; 0 lets every one be used again. */
  uniqueLastPasswordCount?: number
  /** A password that its user chose stays so long before he may choose another. */
  minimumPasswordAgeDays?: number
  /** After so many failures the account is locked. */
  lockoutFailureAttempts?: number
  /** For so long; without it, until an administrator enables the user. */
  lockoutDurationSeconds?: number
  /** A password that an administrator gave has to be changed before it is good for anything else. */
  changePasswordUponFirstUse?: boolean
  /** Who was not here for so long is disabled. */
  disableUserAccountDaysInactive?: number
}
export const defaultRules: SecurityRules = { lockoutDurationSeconds: 1800 }

/** Throws for rules that could never work, before the first request meets them. */
export function checkRules({ passwordRegex }: SecurityRules): void {
  if (passwordRegex !== undefined) new RegExp(`^(?:${passwordRegex})`)
}

/** Which of the rules a user is excepted from. */
export interface UserOptions {
  lock_password?: boolean, ignore_password_expiry?: boolean, ignore_lockout_failure_attempts?: boolean,
  ignore_change_password_upon_first_use?: boolean, ignore_user_inactivity?: boolean
}
export const optionsOf = (user: Pick<UserRow, 'options'>): UserOptions => JSON.parse(user.options) as UserOptions

const dayMs = 86_400_000
const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10)

/** Throws the 400, with the description, for a password that does not look as it must. */
export function checkPattern({ passwordRegex, passwordRegexDescription }: SecurityRules, password: string | null | undefined): void {
  if (!passwordRegex || typeof password !== 'string') return
  // keystone's patterns begin where the password begins.
  if (!new RegExp(`^(?:${passwordRegex})`).test(password)) {
    throw badRequest(`The password does not match the requirements: ${passwordRegexDescription ?? 'no description is given'}.`)
  }
}

/** When a password that is given now ends. `given`: an administrator gave it. */
export function expiryOf(rules: SecurityRules, user: Pick<UserRow, 'options'>, nowMs: number, given: boolean): string | null {
  const options = optionsOf(user)
  if (given && rules.changePasswordUponFirstUse && !options.ignore_change_password_upon_first_use) return new Date(nowMs).toISOString()
  if (!rules.passwordExpiresDays || options.ignore_password_expiry) return null
  return `${new Date(nowMs + rules.passwordExpiresDays * dayMs).toISOString().slice(0, 19)}.000Z`
}

/** Throws the 400 when the user chose his password too short a time ago, or had the new one before. Hashes: not for inside a transaction. */
export async function checkChange({ store: database, passwords, config, clock }: Deps, user: UserRow, password: string): Promise<void> {
  const { uniqueLastPasswordCount: unique = 0, minimumPasswordAgeDays: days = 0 } = config.security
  if (unique === 0 && days === 0) return
  const history = await database.read((tx) => store.historyOf(tx, user.id, Math.max(unique, 1)))
  const leftMs = history[0]?.selfService === 1 ? Date.parse(history[0].createdAt) + days * dayMs - clock() : 0
  if (leftMs > 0) {
    throw badRequest('You cannot change your password at this time due to the minimum password age. '
      + `Once you change your password, it must be used for ${days} day(s) before it can be changed. `
      + `Please try again in ${Math.floor(leftMs / dayMs)} day(s) or contact your administrator to reset your password.`)
  }
  if (unique === 0) return
  const former = [...new Set([user.passwordHash, ...history.map((h) => h.passwordHash)])].filter((hash) => hash !== null).slice(0, unique)
  for (const hash of former) {
    if (await passwords.verify(hash, password)) {
      throw badRequest(`The new password cannot be identical to a previous password. The total number which includes the new password must be unique is ${unique}.`)
    }
  }
}

/** Keeps the user's password for the rules on earlier ones; undefined when he has none. */
export function remember(tx: IdentityTx, { security }: Deps['config'], user: UserRow, nowMs: number, selfService: boolean): Promise<void> | undefined {
  if (user.passwordHash === null) return undefined
  const most = Math.max(security.uniqueLastPasswordCount ?? 0, 1)
  return store.remember(tx, user.id, user.passwordHash, new Date(nowMs).toISOString(), selfService ? 1 : 0, most)
}

/** The row failures are counted in: the user's, or for names nobody has one of a bounded number, so that both cost the same. */
const failuresKey = (user: UserRow | undefined, claim: string): string => user?.id ?? `unknown-${createHash('sha256').update(claim).digest('hex').slice(0, 4)}`

/** Counts a failure to log in. The same statements whoever it is. */
export async function failed({ store: database, config: { security }, clock }: Deps, user: UserRow | undefined, claim: string): Promise<void> {
  const most = security.lockoutFailureAttempts
  if (!most) return
  const nowMs = clock()
  const endedBefore = security.lockoutDurationSeconds ? new Date(nowMs - security.lockoutDurationSeconds * 1000).toISOString() : ''
  await database.tx((tx) => store.countFailure(tx, failuresKey(user, claim), most, endedBefore, new Date(nowMs).toISOString()))
}

/**
 * Whether who showed the right password may come in; if so his failures are forgotten and his visit is noted. Asked after the comparison, so that a burst of guesses
 * learns nothing.
 */
export async function mayLogIn({ store: database, config: { security }, clock }: Deps, user: UserRow): Promise<boolean> {
  const { lockoutFailureAttempts: most, lockoutDurationSeconds, disableUserAccountDaysInactive } = security
  if (!most && !disableUserAccountDaysInactive) return true
  const nowMs = clock(), today = dayOf(nowMs)
  const { failures, seen } = await database.read(async (tx) => ({
    failures: most ? await store.failuresOf(tx, user.id) : undefined, seen: disableUserAccountDaysInactive ? (await store.activity(tx, [user.id])).get(user.id) : undefined,
  }))
  if (failures && Number(failures.failures) >= most! && !optionsOf(user).ignore_lockout_failure_attempts) {
    if (!lockoutDurationSeconds || Date.parse(failures.failedAt) + lockoutDurationSeconds * 1000 > nowMs) return false
  }
  if (isInactive(security, user, seen, nowMs)) return false
  if (failures || (disableUserAccountDaysInactive && seen !== today)) {
    await database.tx(async (tx) => {
      if (failures) await store.forgiveFailures(tx, user.id)
      if (disableUserAccountDaysInactive && seen !== today) await store.wasHere(tx, user.id, today)
    })
  }
  return true
}

/** Whether who showed himself by any method was here lately enough; if so his visit is noted. No query where there is no such rule. */
export async function isWelcome({ store: database, config: { security }, clock }: Deps, user: UserRow): Promise<boolean> {
  if (!security.disableUserAccountDaysInactive) return true
  const nowMs = clock(), today = dayOf(nowMs), seen = (await database.read((tx) => store.activity(tx, [user.id]))).get(user.id)
  if (isInactive(security, user, seen, nowMs)) return false
  if (seen !== today) await database.tx((tx) => store.wasHere(tx, user.id, today))
  return true
}

/** What an administrator's enabling makes good: the lock, and the long absence. */
export async function welcomeBack(tx: IdentityTx, { security }: Deps['config'], userId: string, nowMs: number): Promise<void> {
  if (security.lockoutFailureAttempts) await store.forgiveFailures(tx, userId)
  if (security.disableUserAccountDaysInactive) await store.wasHere(tx, userId, dayOf(nowMs))
}

/** Who was never here counts from the day he was made. */
function isInactive({ disableUserAccountDaysInactive: days }: SecurityRules, user: UserRow, seen: string | undefined, nowMs: number): boolean {
  if (!days || optionsOf(user).ignore_user_inactivity) return false
  return (Date.parse(dayOf(nowMs)) - Date.parse(seen ?? user.createdAt.slice(0, 10))) / dayMs >= days
}

/** The users with those disabled who were not here for too long; no query more where no such rule is set, else one. */
export async function asOfToday(tx: IdentityTx, { config: { security }, clock }: Pick<Deps, 'config' | 'clock'>, rows: UserRow[]): Promise<UserRow[]> {
  if (!security.disableUserAccountDaysInactive || rows.length === 0) return rows
  const seen = await store.activity(tx, rows.map((row) => row.id)), nowMs = clock()
  return rows.map((row) => (isInactive(security, row, seen.get(row.id), nowMs) ? { ...row, enabled: 0 as const } : row))
}
