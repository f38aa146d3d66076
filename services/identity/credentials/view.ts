import type { CredentialRow } from '../schema.ts'

/** https://docs.openstack.org/api-ref/identity/v3/#credentials. The blob is text, whatever it holds. */
export const credentialView = (row: CredentialRow, blob: string, api: string): object => ({
  ...JSON.parse(row.extra) as object, id: row.id, user_id: row.userId, project_id: row.projectId, type: row.type, blob, links: { self: `${api}/credentials/${row.id}` },
})

/** What stands in an EC2 credential's blob. */
export interface Ec2Blob { access?: string, secret?: string, trust_id?: string | null, app_cred_id?: string | null }

/** https://docs.openstack.org/api-ref/identity/v3/#os-ec2 */
export const ec2View = (row: CredentialRow, { access, secret, trust_id }: Ec2Blob, api: string): object => ({
  user_id: row.userId, tenant_id: row.projectId, access, secret, trust_id: trust_id ?? null, links: { self: `${api}/users/${row.userId}/credentials/OS-EC2/${access}` },
})
