// A directory server of our own from Debian's package: private port, directory and password.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newSecret } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import { connects, freePort, isRoot, makeDirectory, run, start, tail, type RunAs, type Running } from './process.ts'

export interface Slapd {
  url: string
  /** The same by TLS, with a certificate nobody vouches for but itself. */
  tlsUrl: string
  certificateFile: string
  suffix: string
  rootDn: string
  password: string
  halt(): Promise<void>
  resume(): Promise<void>
}

export async function startSlapd(dir: string): Promise<Slapd> {
  const as: RunAs = { user: 'openldap' }, suffix = 'dc=example,dc=org', rootDn = `cn=admin,${suffix}`, password = newSecret(12)
  await makeDirectory(dir, as.user)
  const data = await makeDirectory(join(dir, 'data'), as.user), port = await freePort(), tlsPort = await freePort(), logFile = join(dir, 'out.log'), config = join(dir, 'slapd.conf')
  const certificateFile = join(dir, 'cert.pem'), keyFile = join(dir, 'key.pem')
  await run(as, 'openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', keyFile, '-out', certificateFile, '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'])
  writeFileSync(config, [
    ...['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`), 'modulepath /usr/lib/ldap', 'moduleload back_mdb', `pidfile ${join(dir, 'pid')}`,
    `TLSCertificateFile ${certificateFile}`, `TLSCertificateKeyFile ${keyFile}`, 'database mdb', 'maxsize 104857600', `suffix "${suffix}"`, `rootdn "${rootDn}"`, `rootpw ${password}`, `directory ${data}`, '',
  ].join('\n'), { mode: isRoot ? 0o644 : 0o600 })
  const url = `ldap://127.0.0.1:${port}`, tlsUrl = `ldaps://127.0.0.1:${tlsPort}`
  let server: Running | undefined
  async function resume(): Promise<void> {
    server = start(as, 'slapd', ['-d', '0', '-f', config, '-h', `${url} ${tlsUrl}`], logFile)
    await waitFor('slapd', async () => {
      if (!server!.alive) throw new Error(`slapd did not start: ${tail(logFile)}`)
      return connects(port)
    }, 20_000)
  }
  await resume()
  return { url, tlsUrl, certificateFile, suffix, rootDn, password, resume, async halt() { server?.kill('SIGTERM'); await server?.exited } }
}
