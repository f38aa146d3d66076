// https://docs.openstack.org/keystone/latest/configuration/policy.html, trusts
import { all, any, authenticated, type Rule, type Target } from '#kit/policy/rules.ts'
import { adminOrSystemReader, adminRequired, beyondDomains } from '../policy.ts'

/** Of a trust, or of what a list is filtered by. */
export interface TrustTarget extends Target { trustorUserId?: string, trusteeUserId?: string }
const is = (who: 'trustor' | 'trustee'): Rule => ({
  text: `user_id:%(target.trust.${who}_user_id)s`,
  allows: (actor, target) => actor.userId !== '' && (target === undefined || (target as TrustTarget)[`${who}UserId`] === actor.userId),
})

const beyondSystem: Rule = { text: 'not system_scope', allows: (actor) => actor.system === undefined }

export const createTrust = all(authenticated, beyondDomains, beyondSystem)
export const readTrust = all(beyondDomains, any(adminOrSystemReader, is('trustor'), is('trustee')))
export const deleteTrust = all(beyondDomains, any(adminRequired, is('trustor')))
