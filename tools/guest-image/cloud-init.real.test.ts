// A genuine cloud image finds its metadata by SMBIOS alone: the list of data sources is Debian's own, and there is no config drive.
// Takes minutes (debootstrap, then a Debian under emulation). PILEUS_IMAGES names a directory in which the image is kept between runs.
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { newId } from '#base/ids.ts'
import { exec } from '#host/exec.ts'
import { Bench, GuestNetwork, metaData } from './machine.testing.ts'

let bench: Bench, network: GuestNetwork, image: string
before(async () => {
  bench = await Bench.open(900_000)
  const out = process.env.PILEUS_IMAGES ?? join(bench.home, 'out')
  await exec(join(import.meta.dirname, 'cloud-init.sh'), [out], { timeoutMs: 1_200_000 })
  image = join(out, 'cloud-init.qcow2')
  network = new GuestNetwork(bench)
  await network.open()
})
after(async () => {
  await network?.close()
  await bench?.close()
})

test('Debian\'s cloud-init sees an OpenStack, takes key, hostname and user data, and grows its disk', async t => {
  const uuid = newId(), instance = metaData(uuid, 'genuine', await bench.publicKey())
  const userData = '#cloud-config\nruncmd:\n - [sh, -c, "echo RUNCMD-OK > /dev/console"]\n'
  await network.serve({
    '/openstack': 'latest', '/openstack/': 'latest', '/openstack/latest/': 'meta_data.json\nuser_data', '/openstack/latest': 'meta_data.json\nuser_data',
    '/openstack/latest/meta_data.json': instance, '/openstack/latest/user_data': userData,
  })
  const startedAt = Date.now(), since = (): string => `${((Date.now() - startedAt) / 1000).toFixed(0)} s`
  const guest = await bench.boot([...await bench.disk(image, 3), ...network.cards.slice(0, 4)], { netns: network.netns, uuid, memoryMib: 512, vcpus: 2 })
  await guest.said(/login:/)
  t.diagnostic(`login prompt after ${since()}`)
  const finished = await guest.said(/Cloud-init v\. .* finished [^\n]*\n/) // the whole line: it comes in pieces
  t.diagnostic(`finished after ${since()}, CPU ${await guest.cpuSeconds()} s: ${finished[0]}`)
  assert.match(finished[0], /DataSourceOpenStack/)
  assert.match(guest.text(), /RUNCMD-OK/)
  const seen = await network.ssh('hostname; cat /run/cloud-init/cloud-id; cat /sys/class/net/e*/mtu; df -BM --output=size / | tail -n 1; sudo cat /var/lib/cloud/data/instance-id')
  assert.match(seen, new RegExp(`^genuine\nopenstack\n1400\n +2[89]\\d\\dM\n${uuid}$`))
  t.diagnostic(`power button to off: ${await guest.powerDown()} ms`)
})
