// Instants are kept as ISO 8601 text in UTC with milliseconds: they sort as text on every database engine.

export const now = (): string => new Date().toISOString()
export const after = (ms: number, from: number = Date.now()): string => new Date(from + ms).toISOString()

/** nova, glance and neutron: 2026-01-31T12:00:00Z */
export const seconds = (at: string): string => `${at.slice(0, 19)}Z`
/** keystone: 2026-01-31T12:00:00.000000Z */
export const micros = (at: string): string => `${at.slice(0, 23)}000Z`
/** nova's OS-SRV-USG and cinder: 2026-01-31T12:00:00.000000, no zone */
export const microsNoZone = (at: string): string => `${at.slice(0, 23)}000`
