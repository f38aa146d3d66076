// Identity's table of contents: keystone v3.
import type { ServiceModule } from '#kit/service.ts'
import { statusText } from '#kit/http/status.ts'
import type { Deps } from './deps.ts'
import { first } from './migrations/0001-first.ts'
import { createProject, listProjects, showProject } from './projects/api.ts'

export const identity: ServiceModule<Deps> = {
  http: {
    name: 'identity', mount: '/identity', prefixes: ['/v3'],
    operations: [listProjects, showProject, createProject],
    envelope: (fault) => ({ error: { code: fault.status, title: statusText(fault.status), message: fault.message } }),
  },
  migrations: [first],
  access: async () => (await Promise.all([import('./projects/access.ts')])).flatMap((m) => m.access),
}
