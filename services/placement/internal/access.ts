import { newId } from '#base/ids.ts'
import type { AccessCase } from '#kit/testing/access.ts'

const expect = { nobody: 401, reader: 404, member: 404, manager: 404, admin: 404, other: 404 }
export const access: AccessCase[] = [
  { operation: 'providersWithRoom', expect },
  { operation: 'ensureProvider', request: () => ({ params: { uuid: newId() } }), expect },
]
