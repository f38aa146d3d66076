// What an administrator may say about images, beside the stores' directories. Every option has a working default.
import type { OutgoingBounds, OutgoingRules } from '#kit/http/outgoing.ts'
import { defaultOutgoing } from '#kit/http/outgoing.ts'
import { MIB } from '#base/units.ts'

/** The methods there are; which are offered is the administrator's to say. */
export const importMethods = ['glance-direct', 'web-download', 'copy-image', 'glance-download'] as const
export type ImportMethod = (typeof importMethods)[number]

/** What is done to images on their way in. An import keeps to what was configured when it was asked for. */
export interface Plugins {
  /** Images that come packed are unpacked, but for those of the container format `compressed`: they are wanted so. */
  decompress: boolean
  /** Disks become this format; those that are neither of the convertible formats stay as they are. */
  convertTo: 'raw' | 'qcow2' | null
  /** Properties set on imported images, but not on those of users who have one of `unlessRoles`. */
  inject: { properties: Record<string, string>, unlessRoles: string[] }
}

/** What an administrator may set: settings.ts reads it from his file. */
export interface ImageConfig {
  methods: readonly ImportMethod[]
  webDownload: OutgoingRules
  webBounds: Omit<OutgoingBounds, 'maxBytes'>
  /** Other regions' image services: which may be reached, and which of an image's properties come with it, by how their names begin. */
  glanceDownload: { rules: OutgoingRules, properties: readonly string[] }
  plugins: Plugins
  /** How many of each one image may have; below zero is no bound. */
  perImage: { members: number, properties: number, tags: number }
  /** No more than so many times its packed size is unpacked, beyond a first 16 MiB. */
  maxUnpackedRatio: number
  /** Tasks that have ended are kept so long. */
  taskLifeMs: number
  /** Staged bytes that nobody imports, or goes on with, are dropped after this. */
  stageLifeMs: number
  /** An upload whose process shows no sign of life for so long has died. */
  uploadLeaseMs: number
}

export const defaultConfig: ImageConfig = {
  // Between regions is the operator's to allow: it hands users' tokens on.
  methods: ['glance-direct', 'web-download', 'copy-image'], webDownload: defaultOutgoing, webBounds: { maxMs: 6 * 3600_000, patienceMs: 60_000 },
  // Their addresses stand in the catalogue, which administrators write: at whatever port.
  glanceDownload: { rules: { ...defaultOutgoing, ports: { allow: [], deny: [] }, redirects: 0 }, properties: ['hw_', 'trait:', 'os_distro', 'os_secure_boot', 'os_type'] },
  plugins: { decompress: false, convertTo: null, inject: { properties: {}, unlessRoles: ['admin'] } },
  perImage: { members: 128, properties: 128, tags: 128 },
  maxUnpackedRatio: 200, taskLifeMs: 48 * 3600_000, stageLifeMs: 24 * 3600_000, uploadLeaseMs: 60_000,
}
/** What may be unpacked before the ratio counts: small files pack well. */
export const unpackedFreely = 16 * MIB
