import { any, ownUser } from '#kit/policy/rules.ts'
import { admin } from '../policy.ts'

/** Keypairs belong to users, not to projects. */
export const use = any(admin, ownUser)
