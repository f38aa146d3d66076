// What tempest is told of Pileus: everything that is true of it is on. And the cloud of which it all is true: some of it is off by default.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { CloudConfig } from '#bin/config.ts'
import type { TestCloud } from '../cloud.ts'
import type { TempestConfig } from './tempest.ts'

/** An image on this machine's own web server, for web-download. */
export async function imageToFetch(): Promise<{ url: string, port: number, close(): void }> {
  const bytes = randomBytes(1024), server = createServer((_req, res) => { res.setHeader('content-length', bytes.length).end(bytes) })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/image`, port, close: () => { server.closeAllConnections(); server.close() } }
}

const rules = { uniqueLastPasswordCount: 2, lockoutFailureAttempts: 3, lockoutDurationSeconds: 1 }

/** The type under which the catalogue has the image service once more: tempest's word for another of its workers. */
const otherImageService = 'image_remote'
export async function nameImageTwice(cloud: Pick<TestCloud, 'http' | 'login' | 'url'>): Promise<void> {
  const admin = await cloud.login('admin')
  const { body: { service } } = await cloud.http(admin, 'POST', '/identity/v3/services', { service: { type: otherImageService, name: otherImageService } })
  await cloud.http(admin, 'POST', '/identity/v3/endpoints', { endpoint: { service_id: service.id, region_id: 'RegionOne', interface: 'public', url: `${cloud.url}/image` } })
}

/** Limits for the image service, registered as an operator would: without them tempest does not look at quotas. */
export async function registerImageLimits(cloud: Pick<TestCloud, 'http' | 'login'>): Promise<void> {
  const admin = await cloud.login('admin'), { body: { services: [{ id }] } } = await cloud.http(admin, 'GET', '/identity/v3/services?type=image')
  await cloud.http(admin, 'POST', '/identity/v3/registered_limits', {
    registered_limits: ['image_size_total', 'image_stage_total', 'image_count_total', 'image_count_uploading'].map((name) => ({ service_id: id, region_id: 'RegionOne', resource_name: name, default_limit: 1000 })),
  })
}

/** A second store in `dir`, downloads from the one port of the loopback, rules for passwords. */
export const cloudForTempest = (dir: string, port: number): Partial<CloudConfig> => ({
  images: { stores: [{ id: 'second', dir: join(dir, 'second') }], webDownload: { ports: { allow: [80, 443, port] }, networks: { allow: ['127.0.0.0/8'] } },
    importMethods: ['glance-direct', 'web-download', 'copy-image', 'glance-download'], glanceDownload: { networks: { allow: ['127.0.0.0/8'] } } },
  identity: { security: rules },
})

export const tempestConfig = (url: string, { secrets }: Pick<CloudConfig, 'secrets'>, httpImage?: string): TempestConfig => ({
  auth: { use_dynamic_credentials: true, admin_username: 'admin', admin_password: secrets.adminPassword, admin_project_name: 'admin', admin_domain_name: 'Default' },
  identity: {
    uri_v3: `${url}/identity/v3`, auth_version: 'v3', region: 'RegionOne', v3_endpoint_type: 'public',
    user_unique_last_password_count: rules.uniqueLastPasswordCount, user_lockout_failure_attempts: rules.lockoutFailureAttempts, user_lockout_duration: rules.lockoutDurationSeconds,
  },
  'identity-feature-enabled': { api_v2: false, trust: true, api_extensions: 'all', domain_specific_drivers: true, security_compliance: true, project_tags: true, application_credentials: true, access_rules: true },
  // Tempest uploads noise and calls it each of these formats: where content is looked into, noise is refused. The first of each is what it imports.
  image: { disk_formats: 'raw,ami,ari,aki', container_formats: 'bare,ami,ari,aki,ovf,ova,docker,compressed', ...(httpImage !== undefined && { http_image: httpImage }), image_caching_enabled: true, alternate_image_endpoint: otherImageService },
  'image-feature-enabled': { api_v2: true, os_glance_reserved: true, import_image: true },
  service_available: { cinder: false, neutron: true, glance: true, nova: true, swift: false, horizon: false },
})

/** Two pretended hosts, roomy enough for all that is made at once. */
export const cloudForCompute: Partial<CloudConfig> = { fake: { vcpus: 1000, memoryMib: 2_000_000, diskGib: 100_000, hosts: 2 } }

export interface ComputeFacts { imageId: string, otherImageId: string, externalNetworkId: string, /** Aliases of network's extensions. */ extensions: string[] }

/** For compute and network. What is off is not built; with pretended guests nobody is asked to log into one. */
export const computeConfig = ({ imageId, otherImageId, externalNetworkId, extensions }: ComputeFacts): TempestConfig => ({
  compute: {
    image_ref: imageId, image_ref_alt: otherImageId, flavor_ref: '1', flavor_ref_alt: '2', build_interval: 0, build_timeout: 30, min_compute_nodes: 2, min_microversion: '2.1', max_microversion: 'latest', region: 'RegionOne',
  },
  'compute-feature-enabled': {
    personality: true, config_drive: true, console_output: true, metadata_service: true, pause: true, suspend: true, resize: false, shelve: false, cold_migration: false, live_migration: false, rescue: false, snapshot: false,
    interface_attach: false, attach_encrypted_volume: false, enable_instance_password: true, ide_bus: false, scheduler_enabled_filters: 'AvailabilityZoneFilter,ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter',
  },
  network: { public_network_id: externalNetworkId, floating_network_name: 'public', region: 'RegionOne', build_interval: 0, build_timeout: 60 },
  'network-feature-enabled': { ipv6: true, ipv6_subnet_attributes: true, port_security: true, floating_ips: true, port_admin_state_change: true, api_extensions: extensions.join(',') },
  validation: { run_validation: false },
})
