// Identity's tables as code sees them.
import type { Flag } from '#kit/store/store.ts'

export interface IdentityTables {
  identityProjects: ProjectRow
}

/** Domains are projects that act as one, as in keystone. */
export interface ProjectRow {
  id: string
  name: string
  domainId: string | null
  parentId: string | null
  isDomain: Flag
  enabled: Flag
  description: string
  /** JSON: tags, options and extra attributes. */
  extra: string
  createdAt: string
}
