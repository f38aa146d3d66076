// What a consumer shall use, as each version writes it.
import { badRequest } from '#base/errors.ts'
import { isUuid } from '#base/ids.ts'
import { exact, nullable, reshaped, since, Type } from '#kit/http/schema.ts'
import { className, dashed, maxInt, uuid, uuidKey } from '../fields.ts'
import type { Wanted } from './write-store.ts'

const amount = Type.Integer({ minimum: 1, maximum: maxInt })
const resources = Type.Record(Type.String(className), amount, { minProperties: 1, maxProperties: 1000, additionalProperties: false })
const byProvider = (minProperties: number) =>
  Type.Record(uuidKey, exact({ generation: Type.Optional(Type.Integer()), resources }), { minProperties, maxProperties: 1000, additionalProperties: false })
const owner = Type.String({ minLength: 1, maxLength: 255 })
const later = {
  project_id: owner, user_id: owner, consumer_generation: since('1.28', nullable(Type.Integer())),
  mappings: since('1.34', Type.Optional(Type.Record(Type.String({ pattern: '^[a-zA-Z0-9_-]{0,64}$' }), Type.Array(uuid(), { minItems: 1 }), { minProperties: 1 }))),
  consumer_type: since('1.38', Type.String({ pattern: '^[A-Z0-9_]+$', minLength: 1, maxLength: 255 })),
}
/** PUT: from 1.12 on a dictionary, which may be empty from 1.28 on. */
export const dictionary = exact({ allocations: reshaped({ '1.12': byProvider(1), '1.28': byProvider(0) }), ...later })
/** PUT: a list before 1.12. */
export const listed = exact({
  allocations: Type.Array(exact({ resource_provider: exact({ uuid: uuid() }), resources }), { minItems: 1, maxItems: 1000 }),
  project_id: since('1.8', owner), user_id: since('1.8', owner),
})
/** POST, and the reshaper: many consumers. */
export const consumers = (minProperties: number) =>
  Type.Record(uuidKey, exact({ allocations: byProvider(0), ...later }), { minProperties, maxProperties: 10_000, additionalProperties: false })

/** What the schemas above have in common once a list was made a dictionary. */
interface Asked {
  allocations?: Record<string, { resources: Record<string, number> }>
  project_id: string
  user_id: string
  consumer_generation?: number | null
  consumer_type?: string
}
/** What a consumer shall use, out of the body of a request; `consumerId` as somebody wrote it. Throws badRequest for one that is no UUID. */
export const wantedOf = (consumerId: string, asked: Asked): Wanted => ({
  consumerId: consumerOf(consumerId), generation: asked.consumer_generation, projectId: asked.project_id, userId: asked.user_id, consumerType: asked.consumer_type,
  allocations: Object.fromEntries(Object.entries(asked.allocations ?? {}).map(([id, { resources }]) => [dashed(id), resources])),
})

/** The consumer that allocations are for, in one spelling. Throws badRequest for what is no UUID. */
export function consumerOf(text: string): string {
  if (!isUuid(text)) throw badRequest(`Malformed consumer_uuid: ${text.slice(0, 255)}`)
  return dashed(text)
}

/** Whose the allocations are that versions before 1.8 write. */
export const incomplete = '00000000-0000-0000-0000-000000000000'
