// What clients need to log in: clouds.yaml for those who read it, openrc for shells. Written anew at each start, for the URL may be another.
import { join } from 'node:path'
import { stringify } from 'yaml'
import { writePrivately, type Secrets } from './state-dir.ts'

export interface CredentialFiles { cloudsYaml: string, openrc: string, openrcAdmin: string }

interface User { username: string, password: string, project_name: string }

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const openrc = (authUrl: string, user: User, cacert?: string): string => Object.entries({
  OS_AUTH_URL: authUrl, OS_USERNAME: user.username, OS_PASSWORD: user.password, OS_PROJECT_NAME: user.project_name,
  OS_USER_DOMAIN_ID: 'default', OS_PROJECT_DOMAIN_ID: 'default', OS_IDENTITY_API_VERSION: '3', OS_REGION_NAME: 'RegionOne', ...(cacert !== undefined && { OS_CACERT: cacert }),
}).map(([name, value]) => `export ${name}=${quoted(value)}\n`).join('')

/** Writes both, readable by their owner only. `cacert`: a certificate that clients have to be told of. */
export async function writeCredentials(dir: string, url: string, secrets: Secrets, cacert?: string): Promise<CredentialFiles> {
  const authUrl = `${url}/identity/v3`
  const demo: User = { username: 'demo', password: secrets.demoPassword, project_name: 'demo' }
  const admin: User = { username: 'admin', password: secrets.adminPassword, project_name: 'admin' }
  const cloud = (user: User) => ({
    region_name: 'RegionOne', interface: 'public', identity_api_version: 3, auth: { auth_url: authUrl, ...user, user_domain_id: 'default', project_domain_id: 'default' }, ...(cacert !== undefined && { cacert }),
  })
  const files = { cloudsYaml: join(dir, 'clouds.yaml'), openrc: join(dir, 'openrc'), openrcAdmin: join(dir, 'openrc-admin') }
  await Promise.all([
    writePrivately(files.cloudsYaml, stringify({ clouds: { 'pileus': cloud(demo), 'pileus-admin': cloud(admin) } })),
    writePrivately(files.openrc, openrc(authUrl, demo, cacert)), writePrivately(files.openrcAdmin, openrc(authUrl, admin, cacert)),
  ])
  return files
}
