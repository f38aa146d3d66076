// For our own services only: no user knows that these exist, whatever his roles.
import type { AccessCase, Persona } from '#kit/testing/access.ts'

const hidden: Record<Persona, number> = { nobody: 401, reader: 404, member: 404, manager: 404, admin: 404, other: 404 }
const params = { port_id: '00000000-0000-4000-8000-000000000000' }
export const access: AccessCase[] = [
  { operation: 'ensurePort', request: () => ({ params, body: { port: {} } }), expect: hidden },
  { operation: 'removePort', request: () => ({ params }), expect: hidden },
  { operation: 'bindPort', request: () => ({ params, body: {} }), expect: hidden },
  { operation: 'unbindPort', request: () => ({ params, body: {} }), expect: hidden },
  { operation: 'describePorts', request: () => ({ body: {} }), expect: hidden },
  { operation: 'metadataOwner', expect: hidden },
]
