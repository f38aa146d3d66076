// Who may read the schemas.
import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { schemaOperations } from './api.ts'

export const access: AccessCase[] = schemaOperations.map((op) => ({ operation: op.name, expect: verdicts.listing() }))
