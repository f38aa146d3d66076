// The resources of a version: 2.36 took the network's away, 2.57 those of injected files.
import { since, Type } from '#kit/http/schema.ts'
import type { Version } from '#kit/http/operation.ts'
import { wholeNumber } from '../fields.ts'
import { resources, type Limits, type Resource } from './store.ts'

const ofNetwork = ['fixed_ips', 'floating_ips', 'security_groups', 'security_group_rules']
const ofFiles = ['injected_files', 'injected_file_content_bytes', 'injected_file_path_bytes']

export const shownAt = (version: Version): Resource[] =>
  resources.filter((r) => !(version.since('2.36') && ofNetwork.includes(r)) && !(version.since('2.57') && ofFiles.includes(r)))

const limit = Type.Optional(wholeNumber(-1))
export const limitFields = {
  instances: limit, cores: limit, ram: limit, metadata_items: limit, key_pairs: limit, server_groups: limit, server_group_members: limit,
  fixed_ips: since('2.1', limit, '2.35'), floating_ips: since('2.1', limit, '2.35'), security_groups: since('2.1', limit, '2.35'), security_group_rules: since('2.1', limit, '2.35'),
  injected_files: since('2.1', limit, '2.56'), injected_file_content_bytes: since('2.1', limit, '2.56'), injected_file_path_bytes: since('2.1', limit, '2.56'),
}

export const pick = (limits: Limits, version: Version): Partial<Limits> => Object.fromEntries(shownAt(version).map((r) => [r, limits[r]]))
