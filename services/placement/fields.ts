// The shapes that come again and again in placement's bodies and queries.
import { Type } from '#kit/http/schema.ts'

/** The largest amount of anything: what the original's columns hold. */
export const maxInt = 2_147_483_647
/** With dashes or without, as oslo takes them. */
export const uuidPattern = '^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$'
/** An id, in either spelling; `dashed` makes one of them. */
export const uuid = (): ReturnType<typeof Type.String> => Type.String({ pattern: uuidPattern })
/** An id as a key of a dictionary. */
export const uuidKey = Type.String({ pattern: '^[0-9a-fA-F-]{36}$' })
/** What a resource class may be called, standard or not. */
export const className = { pattern: '^[A-Z0-9_]+$', maxLength: 255 }
/** What a trait or resource class of somebody's own may be called. */
export const customName = { pattern: '^CUSTOM_[A-Z0-9_]+$', minLength: 1, maxLength: 255 }
/** A query key that may come more than once. */
export const repeated = () => Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())], { repeats: true }))

/** 8-4-4-4-12 in lower case, however it was written. */
export const dashed = (id: string): string => id.toLowerCase().replaceAll('-', '').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
