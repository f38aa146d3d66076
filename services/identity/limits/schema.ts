// Rows of limits. An empty id stands for none.
export interface RegisteredLimitRow { id: string, serviceId: string, regionId: string, resourceName: string, defaultLimit: number, description: string | null }
export interface LimitRow { id: string, registeredLimitId: string, projectId: string, domainId: string, resourceLimit: number, description: string | null }
export interface LimitTables { identityRegisteredLimits: RegisteredLimitRow, identityLimits: LimitRow }
