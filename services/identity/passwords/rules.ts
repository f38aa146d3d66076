// What operators demand of passwords and log-ins: keystone's security_compliance. Everything is off until it is set.

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
