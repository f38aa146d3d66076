// What tempest is told of Pileus: everything that is true of it is on.
import type { CloudConfig } from '#bin/config.ts'
import type { TempestConfig } from './tempest.ts'

export const tempestConfig = (url: string, { secrets }: Pick<CloudConfig, 'secrets'>): TempestConfig => ({
  auth: { use_dynamic_credentials: true, admin_username: 'admin', admin_password: secrets.adminPassword, admin_project_name: 'admin', admin_domain_name: 'Default' },
  identity: { uri_v3: `${url}/identity/v3`, auth_version: 'v3', region: 'RegionOne', v3_endpoint_type: 'public' },
  'identity-feature-enabled': { api_v2: false, trust: true, api_extensions: 'all', domain_specific_drivers: true, project_tags: true, application_credentials: true, access_rules: true },
  // Tempest uploads noise and calls it each of these formats: where content is looked into, noise is refused. Downloads from the loopback are refused too.
  image: { disk_formats: 'raw,ami,ari,aki', container_formats: 'ami,ari,aki,bare,ovf,ova,docker,compressed', http_image: 'http://127.0.0.1:1/image' },
  'image-feature-enabled': { api_v2: true, os_glance_reserved: true, import_image: true },
  service_available: { cinder: false, neutron: true, glance: true, nova: true, swift: false, horizon: false },
})
