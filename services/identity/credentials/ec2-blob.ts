// The blob of an EC2 credential: JSON with the two keys, and the lent rights it was made with.
import { createHash } from 'node:crypto'
import type { Actor } from '#base/context.ts'
import { badRequest, forbidden } from '#base/errors.ts'
import { expecting } from '../faults.ts'
import type { Ec2Blob } from './view.ts'

export const ec2Type = 'ec2'

/** An EC2 credential is found by its access key: its id is the key's digest. */
export const idOf = (access: string): string => createHash('sha256').update(access).digest('hex')

/** What is in a stored blob; of one that makes no sense, nothing. */
export function readBlob(text: string): Ec2Blob {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Ec2Blob : {}
  } catch { return {} }
}

/** Throws the 400 unless the text is a blob that can be an EC2 credential's. */
export function checkBlob(text: string): Ec2Blob & { access: string } {
  try { JSON.parse(text) } catch { throw badRequest('Invalid blob in credential') }
  const { access } = readBlob(text)
  if (typeof access !== 'string' || access === '') throw expecting('access', 'credential')
  return readBlob(text) as Ec2Blob & { access: string }
}

const bonds = ['trust_id', 'app_cred_id', 'access_token_id', 'access_id'] as const

/** With what the maker's rights were lent by: a token had with it is bound in the same way. Nobody writes that himself. */
export function bindBlob(text: string, { delegation }: Actor): string {
  const blob: Record<string, unknown> = { ...checkBlob(text) }
  for (const bond of bonds) if (blob[bond] !== undefined && blob[bond] !== null) throw badRequest(`${bond} can not be set for credential`)
  if (!delegation) return text
  const { trustId, applicationCredentialId } = delegation
  return JSON.stringify({ ...blob, ...(trustId && { trust_id: trustId }), ...(applicationCredentialId && { app_cred_id: applicationCredentialId }) })
}

/** Throws the 400 when a new blob loosens what the old one was bound by. */
export function keepBonds(oldText: string, newText: string): void {
  const before = readBlob(oldText) as Record<string, unknown>, after = checkBlob(newText) as unknown as Record<string, unknown>
  for (const bond of bonds) if ((before[bond] ?? null) !== (after[bond] ?? null)) throw badRequest(`${bond} can not be updated for credential`)
}

/** Whether lent rights reach this secret: none by which one logs in as the user himself, and of keys those made with the same rights. Others would give more than was lent. */
export function isLent({ delegation }: Actor, type: string, blob: string): boolean {
  if (!delegation || (type !== 'totp' && type !== ec2Type)) return true
  const { trust_id, app_cred_id } = readBlob(blob)
  const sameTrust = (trust_id ?? null) === (delegation.trustId ?? null)
  const sameCredential = (app_cred_id ?? null) === (delegation.applicationCredentialId ?? null)
  return type === ec2Type && delegation.accessTokenId === undefined && sameTrust && sameCredential
}
/** Throws the 403 when they do not. */
export function refuseUnlent(actor: Actor, type: string, blob: string): void {
  if (!isLent(actor, type, blob)) throw forbidden('You are not authorized to perform the requested action: The credential gives more than the delegated token.')
}
