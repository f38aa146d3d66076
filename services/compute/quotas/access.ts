import { verdicts, type AccessCase } from '#kit/testing/access.ts'

/** In the project's quotas others are refused outright: whether a project exists is no secret of compute's. */
const reading = { ...verdicts.reader(), other: 403 }

export const access: AccessCase[] = [
  { operation: 'showQuota', request: (w) => ({ params: { tenant_id: w.projectId } }), expect: reading },
  { operation: 'showQuotaDetail', request: (w) => ({ params: { tenant_id: w.projectId } }), expect: reading },
  { operation: 'showQuotaDefaults', request: (w) => ({ params: { tenant_id: w.projectId } }), expect: verdicts.listing() },
  { operation: 'updateQuota', request: (w) => ({ params: { tenant_id: w.otherProjectId }, body: { quota_set: { key_pairs: 99 } } }), expect: verdicts.admin() },
  { operation: 'deleteQuota', request: () => ({ params: { tenant_id: 'f'.repeat(32) } }), expect: verdicts.admin(202) },
  { operation: 'showQuotaClass', request: () => ({ params: { class_id: 'default' } }), expect: verdicts.admin() },
  { operation: 'updateQuotaClass', request: () => ({ params: { class_id: 'default' }, body: { quota_class_set: { key_pairs: 100 } } }), expect: verdicts.admin() },
  { operation: 'showLimits', expect: verdicts.listing() },
  { operation: 'showLimits', about: 'of another project', request: () => ({ query: { tenant_id: 'f'.repeat(32) } }), expect: verdicts.admin() },
]
