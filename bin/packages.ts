// The Debian packages Pileus uses: which, why, and how to tell that one is there. Installs what is missing, or lists it.
import { access, constants, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { explain } from '#base/errors.ts'
import { CommandFault, exec } from '#host/exec.ts'
import { Usage } from './usage.ts'

export interface Need {
  package: string
  /** A program of it, or the absolute path of a file; there means installed. Of several words, any. */
  sign: string
  why: string
}

const need = (name: string, sign: string, why: string): Need => ({ package: name, sign, why })

/** A cloud of real guests. */
export const cloudNeeds: Need[] = [
  need('qemu-system-x86', 'qemu-system-x86_64', 'runs the guests'),
  need('qemu-utils', 'qemu-img', 'makes and checks disks'),
  need('iproute2', 'ip', 'networks, routers and their namespaces'),
  need('nftables', 'nft', 'security groups, address translation'),
  need('dnsmasq-base', 'dnsmasq', 'addresses and names for guests'),
  need('kmod', '/proc/sys/net/bridge/bridge-nf-call-iptables modprobe', 'loads the kernel\'s bridge filter'),
  need('util-linux', 'setpriv', 'guests run without privileges'),
  need('mount', 'mount', 'namespaces are kept by mounts'),
]

/** Building the small guest image. */
export const imageNeeds: Need[] = [
  need('e2fsprogs', 'mke2fs', 'makes the guest image\'s file system'),
  need('cpio', 'cpio', 'packs the guest image\'s first stage'),
]

/** Logging in to a guest. */
export const demoNeeds: Need[] = [
  need('openssh-client', 'ssh', 'logs in to the server'),
]

/** Everything the tests run against. */
export const testNeeds: Need[] = [
  ...cloudNeeds, ...imageNeeds, ...demoNeeds,
  need('python3-openstackclient', 'openstack', 'the unmodified client that is tested against'),
  need('python3-osc-placement', '/usr/lib/python3/dist-packages/osc_placement', 'the client\'s commands for placement'),
  need('python3-lxml', '/usr/lib/python3/dist-packages/lxml', 'the client\'s way in by SAML2'),
  need('python3-oauthlib', '/usr/lib/python3/dist-packages/oauthlib', 'the client\'s way in by OAuth1'),
  need('python3-tempest', '/usr/lib/python3/dist-packages/tempest', 'OpenStack\'s own tests'),
  need('rabbitmq-server', '/usr/lib/rabbitmq/bin/rabbitmq-server', 'the message bus, for real'),
  need('mariadb-server', 'mariadbd', 'a database server, for real'),
  need('postgresql', 'pg_ctlcluster', 'a database server, for real'),
  need('slapd', 'slapd', 'a directory server, for real'),
  need('procps', 'pgrep', 'finds processes'),
  need('socat', 'socat', 'talks to guests and sockets'),
  need('busybox-static', 'busybox', 'stands for a guest'),
  need('curl', 'curl', 'the plainest of clients'),
  need('openssl', 'openssl', 'makes certificates to test with'),
  need('genisoimage', 'isoinfo', 'looks into config drives'),
  need('iputils-ping', 'ping', 'tests networks'),
  need('debootstrap', 'debootstrap', 'makes a Debian with cloud-init, to see whether it takes this for an OpenStack'),
  need('iptables', 'iptables', 'stands for other software\'s rules on the host'),
]

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const standsAt = (path: string): Promise<boolean> => access(path, constants.F_OK).then(() => true, () => false)
const isThere = async ({ sign }: Need): Promise<boolean> => {
  const paths = sign.split(' ').flatMap((word) => word.startsWith('/') ? [word] : folders.map((folder) => join(folder, word)))
  for (const path of paths) if (await standsAt(path)) return true
  return false
}

export async function missing(needs: Need[]): Promise<Need[]> {
  const there = await Promise.all(needs.map(isThere))
  return needs.filter((_need, i) => !there[i])
}

const listed = (needs: Need[]): string => needs.map((n) => `  ${n.package.padEnd(24)} ${n.why}`).join('\n')

/** Where Debian's packages ask whether they may start a service; 101 is no. */
const policyFile = '/usr/sbin/policy-rc.d'

/** Runs `work` while no package may start a service of its own. A machine that has a say in that already keeps it. */
async function withoutServices<T>(work: () => Promise<T>): Promise<T> {
  if (await standsAt(policyFile)) return work()
  await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    return await work()
  } finally {
    await rm(policyFile, { force: true })
  }
}

/** Makes sure the packages are there. Throws a Usage that lists what is missing when it may not, or cannot, install. */
export async function ensurePackages(needs: Need[], { install, say }: { install: boolean, say: (line: string) => void }): Promise<void> {
  const wanted = await missing(needs)
  if (wanted.length === 0) return
  const names = wanted.map((n) => n.package)
  const command = `apt-get install --no-install-recommends ${names.join(' ')}`
  if (!install) throw new Usage(`--no-install was given, and missing are:\n${listed(wanted)}\nInstall them with: ${command}`)
  if (!await isThere(need('apt', 'apt-get', ''))) throw new Usage(`missing are:\n${listed(wanted)}\nThis system has no apt-get: install them your system's way.`)
  if (process.getuid?.() !== 0) throw new Usage(`missing are:\n${listed(wanted)}\nRun this once as root, or: sudo ${command}`)
  say(`installing Debian packages; this may take some minutes:\n${listed(wanted)}`)
  const apt = (args: string[]) => exec('apt-get', args, { timeoutMs: 30 * 60_000, maxOutputBytes: 64 * 1024 ** 2, env: { DEBIAN_FRONTEND: 'noninteractive', DEBCONF_NONINTERACTIVE_SEEN: 'true' } })
  const wantedNow = ['install', '-y', '-q', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold', ...names]
  try {
    await withoutServices(async () => {
      // The lists of a fresh machine are empty or old.
      await apt(wantedNow).catch(async () => { await apt(['update', '-q']); await apt(wantedNow) })
    })
  } catch (error) {
    const words = error instanceof CommandFault && error.stderr !== '' ? error.stderr : explain(error)
    throw new Usage(`apt-get could not install ${names.join(', ')}. It said:\n${words.split('\n').slice(-8).map((line) => `    ${line}`).join('\n')}\nWhen that is mended, run the same command again.`)
  }
  const still = await missing(wanted)
  if (still.length > 0) throw new Usage(`apt-get was content, and still missing are:\n${listed(still)}`)
}
