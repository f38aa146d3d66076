import { verdicts, type AccessCase } from '#kit/testing/access.ts'

// Another project's quotas are refused, not hidden: any id has quotas.
const own = { nobody: 401, reader: 200, member: 200, manager: 200, admin: 200, other: 403 }
export const access: AccessCase[] = [
  { operation: 'listQuotas', expect: verdicts.admin() },
  { operation: 'showQuotas', request: (w) => ({ params: { project_id: w.projectId } }), expect: own },
  { operation: 'showDefaultQuotas', request: (w) => ({ params: { project_id: w.projectId } }), expect: own },
  { operation: 'showQuotaDetails', request: (w) => ({ params: { project_id: w.projectId } }), expect: own },
  { operation: 'showQuotaDetailsJson', request: (w) => ({ params: { project_id: w.projectId } }), expect: own },
  { operation: 'updateQuotas', request: (w) => ({ params: { project_id: w.unique('project') }, body: { quota: { port: 7 } } }), expect: verdicts.admin() },
  {
    operation: 'deleteQuotas', expect: verdicts.admin(204),
    async request(w) {
      const params = { project_id: w.unique('project') }
      await w.call('admin', 'network', 'updateQuotas', { params, body: { quota: { port: 7 } } })
      return { params }
    },
  },
]
