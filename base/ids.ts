// Identifiers as OpenStack writes them: dashed UUIDs nearly everywhere, bare hex in keystone.
import { randomBytes, randomUUID } from 'node:crypto'

/** A version 4 UUID with dashes: servers, images, ports … */
export const newId = (): string => randomUUID()

/** 32 hex digits without dashes: keystone's users, projects, domains and roles. */
export const newHexId = (): string => randomUUID().replaceAll('-', '')

/** A secret of `bytes` random bytes as URL-safe text. */
export const newSecret = (bytes = 24): string => randomBytes(bytes).toString('base64url')

/** `req-` and a UUID, as every OpenStack service answers in X-Openstack-Request-Id. */
export const newRequestId = (): string => `req-${randomUUID()}`

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const hex = /^[0-9a-f]{32}$/i
/** True for a UUID with or without dashes, the two spellings OpenStack accepts. */
export const isUuid = (text: string): boolean => uuid.test(text) || hex.test(text)
