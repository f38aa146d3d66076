// https://docs.openstack.org/keystone/latest/configuration/policy.html, trusts
import { any, authenticated, type Rule, type Target } from '#kit/policy/rules.ts'
import { adminOrSystemReader, adminRequired } from '../policy.ts'

/** Of a trust, or of what a list is filtered by. */
export interface TrustTarget extends Target { trustorUserId?: string, trusteeUserId?: string }
const is = (who: 'trustor' | 'trustee'): Rule => ({
  text: `user_id:%(target.trust.${who}_user_id)s`, allows: (actor, target) => actor.userId !== '' && (target === undefined || (target as TrustTarget)[`${who}UserId`] === actor.userId),
})

export const createTrust = authenticated
export const readTrust = any(adminOrSystemReader, is('trustor'), is('trustee'))
export const deleteTrust = any(adminRequired, is('trustor'))
