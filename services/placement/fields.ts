// The shapes that come again and again in placement's bodies and queries.
import { Type } from '#kit/http/schema.ts'

export const maxInt = 2_147_483_647
/** With dashes or without, as oslo takes them. */
export const uuidPattern = '^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$'
export const uuid = (): ReturnType<typeof Type.String> => Type.String({ pattern: uuidPattern })
export const uuidKey = Type.String({ pattern: '^[0-9a-fA-F-]{36}$' })
export const className = { pattern: '^[A-Z0-9_]+$', maxLength: 255 }
export const customName = { pattern: '^CUSTOM_[A-Z0-9_]+$', minLength: 1, maxLength: 255 }
/** A query key that may come more than once. */
export const repeated = () => Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())], { repeats: true }))

/** 8-4-4-4-12 in lower case, however it was written. */
export const dashed = (id: string): string => id.toLowerCase().replaceAll('-', '').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
