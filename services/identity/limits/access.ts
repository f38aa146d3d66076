import type { AccessCase, AccessWorld } from '#kit/testing/access.ts'
import { verdicts } from '../testing/verdicts.ts'
import { freshService } from '../catalog/access.ts'

const registered = async (w: AccessWorld): Promise<any> => {
  const { service_id } = (await freshService(w)).params
  const body = { registered_limits: [{ service_id, resource_name: w.unique('resource'), default_limit: 10 }] }
  return (await w.call('admin', 'identity', 'createRegisteredLimits', { body })).body.registered_limits[0]
}
const aRegistered = async (w: AccessWorld) => ({ params: { registered_limit_id: (await registered(w)).id as string } })
const limitBody = async (w: AccessWorld) => {
  const { service_id, resource_name } = await registered(w)
  return { body: { limits: [{ service_id, resource_name, project_id: w.projectId, resource_limit: 5 }] } }
}
const aLimit = async (w: AccessWorld) => ({ params: { limit_id: String((await w.call('admin', 'identity', 'createLimits', await limitBody(w))).body.limits[0].id) } })

export const access: AccessCase[] = [
  { operation: 'listRegisteredLimits', expect: verdicts.authenticated() },
  { operation: 'showRegisteredLimit', request: aRegistered, expect: verdicts.authenticated() },
  {
    operation: 'createRegisteredLimits', expect: verdicts.admin(201),
    request: async (w) => ({ body: { registered_limits: [{ service_id: (await freshService(w)).params.service_id, resource_name: 'x', default_limit: 1 }] } }),
  },
  { operation: 'updateRegisteredLimit', request: async (w) => ({ ...await aRegistered(w), body: { registered_limit: { default_limit: 3 } } }), expect: verdicts.admin() },
  { operation: 'deleteRegisteredLimit', request: aRegistered, expect: verdicts.admin(204) },
  { operation: 'showLimitModel', expect: verdicts.authenticated() },
  { operation: 'listLimits', expect: verdicts.authenticated() },
  { operation: 'showLimit', request: aLimit, expect: verdicts.projectReader() },
  { operation: 'createLimits', request: limitBody, expect: verdicts.admin(201) },
  { operation: 'updateLimit', request: async (w) => ({ ...await aLimit(w), body: { limit: { resource_limit: 3 } } }), expect: verdicts.admin() },
  { operation: 'deleteLimit', request: aLimit, expect: verdicts.admin(204) },
  { operation: 'limitsOf', request: (w) => ({ params: { project_id: w.projectId, service_type: 'image' } }), expect: verdicts.internal() },
]
