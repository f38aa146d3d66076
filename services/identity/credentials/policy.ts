// https://docs.openstack.org/keystone/latest/configuration/policy.html, credentials and EC2 credentials
import { all, any, ownUser, role, service } from '#kit/policy/rules.ts'
import { adminOrOwner, adminReaderOrOwner, adminRequired, beyondDomains } from '../policy.ts'

export const readCredential = adminReaderOrOwner
export const changeCredential = adminOrOwner
export const readEc2 = all(beyondDomains, adminReaderOrOwner)
export const changeEc2 = all(beyondDomains, any(adminRequired, all(role('member'), ownUser)))
/** Who asks for a token in a signer's name has the signature and no more: services do, for requests they were sent. */
export const validateSignature = any(adminRequired, role('service'), service)
