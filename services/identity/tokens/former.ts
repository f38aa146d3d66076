// What keystone had when its tokens were signed documents: still there, to say that it is no more.
// https://docs.openstack.org/api-ref/identity/v3-ext/#os-simple-cert-api
import { Fault, forbidden } from '#base/errors.ts'
import { anyone } from '#kit/policy/rules.ts'
import { operation } from '../deps.ts'

const gone = (name: string, path: string, summary: string) => operation({
  name, method: 'GET', path, summary, access: anyone, faults: ['gone'],
  handle: async () => { throw new Fault('gone', 'This API is no longer available due to the removal of support for PKI tokens.') },
})
export const showCaCertificate = gone('showCaCertificate', '/OS-SIMPLE-CERT/ca', 'Gone: the authority of signed tokens.')
export const showSigningCertificate = gone('showSigningCertificate', '/OS-SIMPLE-CERT/certificates', 'Gone: the certificate tokens were signed with.')
export const showRevokedTokens = operation({
  name: 'showRevokedTokens', method: 'GET', path: '/auth/tokens/OS-PKI/revoked', summary: 'Not told to anybody: the revoked tokens.', access: anyone,
  faults: ['forbidden'],
  handle: async () => { throw forbidden('You are not authorized to perform the requested action.') },
})
