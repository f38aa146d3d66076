export { admin as change, authenticated as showDefaults, reader as show, admin as showOthersLimits, authenticated as limits } from '../policy.ts'
