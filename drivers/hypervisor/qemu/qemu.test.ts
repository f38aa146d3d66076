// What can be said without a process: arguments, uids, names of run states.
import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isFault } from '#base/errors.ts'
import { removeTree } from '#host/files.ts'
import { hypervisors } from '../index.ts'
import { commandLine } from './command-line.ts'
import { defaultUidBase, settle } from './config.ts'
import { layoutOf } from './records.ts'
import type { Shape } from './records.ts'
import { uidsIn } from './uids.ts'
import { powerOf } from './watch.ts'

const home = await mkdtemp(join(tmpdir(), 'pileus-qemu-unit-'))
after(() => removeTree(home))

const shape: Shape = {
  vcpus: 2, memoryMib: 256, ports: 3, configDrive: true, name: 'a,b',
  cards: [{ portId: 'p1', mac: 'fa:16:3e:00:00:01', mtu: 1450, device: { tap: 'tap1', netns: 'n' }, port: 2 }],
  smbios: { manufacturer: 'OpenStack Foundation', product: 'OpenStack Nova', version: '1,type=9', serial: 's', uuid: 'u', family: 'f' },
}
const fds = { qmp: 3, serial: 4, log: 5, disk: 6, diskReadOnly: 7, base: 8, configDrive: 9 }

test('the command line', async () => {
  const settings = await settle({ stateDir: home, cloudId: 'abcd', accel: 'tcg' })
  const args = commandLine({ shape, id: 'id-1', settings, fds, base: { format: 'qcow2' }, incoming: false })
  const has = (...wanted: string[]): void => assert.ok(args.some((_, i) => wanted.every((word, n) => args[i + n] === word)), `${wanted.join(' ')} in ${args.join(' ')}`)
  has('-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny')
  has('-accel', 'tcg,tb-size=64')
  has('-cpu', 'Nehalem')
  has('-name', 'guest=abcd-a,,b,process=pileus-abcd')
  has('-smbios', 'type=1,manufacturer=OpenStack Foundation,product=OpenStack Nova,version=1,,type=9,serial=s,uuid=u,family=f')
  has('-netdev', 'tap,id=nic-p1,ifname=tap1,script=no,downscript=no,vhost=off')
  has('-device', 'virtio-net-pci,id=nic-p1,netdev=nic-p1,mac=fa:16:3e:00:00:01,bus=rp2,host_mtu=1450,romfile=')
  has('-blockdev', 'driver=qcow2,node-name=disk0,file=disk0-file,backing=base0,discard=unmap')
  assert.ok(!args.includes('-incoming'))
  assert.ok(!args.some(arg => arg.includes(home)), 'no path of the host')
  assert.ok(args.filter(arg => arg.includes('node-name')).every(arg => arg.includes('driver=')), 'no format is probed')
  const raw = commandLine({ shape: { ...shape, configDrive: false }, id: 'id-1', settings: { ...settings, accel: 'kvm', cpuModel: 'host' }, fds: { ...fds, configDrive: undefined }, base: { format: 'raw' }, incoming: true })
  assert.ok(raw.includes('-incoming') && raw.includes('kvm') && !raw.some(arg => arg.includes('scsi')))
})

test('uids are each one\'s own, stay, and come back', async () => {
  const directory = join(home, 'uids')
  const uids = uidsIn(directory, 1000, 3)
  const first = await Promise.all(['a', 'b', 'c', 'a'].map(id => uids.claim(id)))
  assert.equal(new Set(first).size, 3)
  assert.equal(first[0], first[3])
  assert.ok(first.every(uid => uid >= 1000 && uid < 1003))
  await assert.rejects(uids.claim('d'), error => isFault(error, 'unavailable'))
  const again = uidsIn(directory, 1000, 3)
  assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(id => again.claim(id))), first.slice(0, 3))
  await again.release('b')
  await again.release('b')
  assert.equal(await again.claim('d'), first[1])
  assert.deepEqual((await readdir(directory)).sort(), ['a', 'c', 'd'])
  assert.notEqual(defaultUidBase('abcd'), defaultUidBase('abce'))
})

test('an id is never a path', () => {
  for (const id of ['../x', 'a/b', '', '.', '..', 'x'.repeat(65)]) assert.throws(() => layoutOf('/state', id), error => isFault(error, 'notFound'), id)
})

test('run states', () => {
  assert.deepEqual(['running', 'paused', 'io-error', 'shutdown', 'guest-panicked', 'internal-error', 'postmigrate'].map(powerOf), ['running', 'paused', 'paused', 'shutdown', 'crashed', 'crashed', 'paused'])
})

test('drivers by name', async () => {
  assert.equal((await hypervisors.fake({})).name, 'fake')
  await assert.rejects(hypervisors.qemu({ stateDir: home, cloudId: '../x' }))
})
