// What tempest is told of Pileus: everything that is true of it is on.
import type { CloudConfig } from '#bin/config.ts'
import type { TempestConfig } from './tempest.ts'

export const tempestConfig = (url: string, { secrets }: Pick<CloudConfig, 'secrets'>): TempestConfig => ({
  auth: { use_dynamic_credentials: true, admin_username: 'admin', admin_password: secrets.adminPassword, admin_project_name: 'admin', admin_domain_name: 'Default' },
  identity: { uri_v3: `${url}/identity/v3`, auth_version: 'v3', region: 'RegionOne', v3_endpoint_type: 'public' },
  'identity-feature-enabled': { api_v2: false, trust: true, api_extensions: 'all', domain_specific_drivers: true, project_tags: true, application_credentials: true, access_rules: true },
  image: { disk_formats: 'ami,ari,aki,vhd,vhdx,vmdk,raw,qcow2,vdi,iso,ploop', container_formats: 'ami,ari,aki,bare,ovf,ova,docker,compressed' },
  'image-feature-enabled': { api_v2: true, os_glance_reserved: true },
  service_available: { cinder: false, neutron: true, glance: true, nova: true, swift: false, horizon: false },
})
