// The behaviour suite and what only this driver promises, with real QEMU processes under emulation. Needs root and qemu-system-x86.
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import { plainContext } from '#base/context.ts'
import { Fault, isFault } from '#base/errors.ts'
import { exec } from '#host/exec.ts'
import { removeTree } from '#host/files.ts'
import { processesOf, kill } from '#host/processes.ts'
import { connectUnix } from '#host/sockets.ts'
import { hypervisorSuite } from '../suite.ts'
import type { Hypervisor, InstanceSpec } from '../contract.ts'
import { bootSector, greeting } from './boot-sector.testing.ts'
import { defaultUidBase } from './config.ts'
import type { QemuConfig } from './config.ts'
import { createQemu } from './driver.ts'

const ctx = plainContext()

/** A directory only root enters (as a state directory below /root would be), an image in it, and the driver. */
async function setUp(cloudId: string): Promise<{ home: string, base: string, config: QemuConfig, spec: (over?: Partial<InstanceSpec>) => InstanceSpec }> {
  const home = await mkdtemp(join(tmpdir(), 'pileus-qemu-'))
  const raw = join(home, 'image.raw'), base = join(home, 'image.qcow2')
  await writeFile(raw, bootSector())
  await exec('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, base])
  await chmod(base, 0o400)
  const spec = (over: Partial<InstanceSpec> = {}): InstanceSpec => {
    const id = newId()
    return {
      id, name: `test, ${id.slice(0, 4)}`, vcpus: 1, memoryMib: 32, rootDisk: { base: { path: base, format: 'qcow2' }, sizeGib: 1 }, nics: [],
      configDrive: { 'openstack/latest/meta_data.json': Buffer.from('{}').toString('base64') },
      smbios: { manufacturer: 'OpenStack Foundation', product: 'OpenStack Nova', version: '1,2', serial: id, uuid: id, family: 'Virtual Machine' }, ...over,
    }
  }
  return { home, base, spec, config: { stateDir: join(home, 'state'), cloudId, accel: 'tcg' } }
}

const uidRange = (cloudId: string): Set<number> => new Set(Array.from({ length: 4096 }, (_, i) => defaultUidBase(cloudId) + i))
const groupsOf = async (id: string): Promise<string[]> => (await exec('find', ['/sys/fs/cgroup', '-maxdepth', '4', '-name', id])).stdout.split('\n').filter(line => line !== '')
const send = async (stateDir: string, id: string, letter: string): Promise<void> => {
  const serial = await connectUnix(join(stateDir, 'instances', id, 'serial.sock'))
  await new Promise<void>(resolve => serial.write(letter, () => resolve()))
  serial.destroySoon()
}
const qemuOf = async (driver: Hypervisor, id: string): Promise<{ pid: number, startTicks: number, uid: number }> => {
  const [found] = await processesOf(new Set([await driver.ownerUid(ctx, id)]))
  assert.ok(found, 'no process')
  return found
}

hypervisorSuite('qemu', async () => {
  const { home, config, spec } = await setUp('hvt0')
  const h = {
    driver: await createQemu(config), greeting, spec,
    failingSpec: () => spec({ nics: [{ portId: newId(), mac: 'fa:16:3e:00:00:01', mtu: 1450, device: { tap: 'no-such-tap' } }] }),
    async restart() { await h.driver.close(); h.driver = await createQemu(config) },
    async killOutside(id: string) { process.kill((await qemuOf(h.driver, id)).pid, 'SIGKILL') },
    shutDownInside: (id: string) => send(config.stateDir, id, 'q'),
    async leftovers(id: string) {
      const files = (await exec('find', [config.stateDir, '-name', `${id}*`])).stdout.split('\n').filter(line => line !== '')
      const processes = (await exec('pgrep', ['-f', id], { okCodes: [0, 1] })).stdout.split('\n').filter(line => line !== '')
      return [...files, ...processes.map(pid => `process ${pid}`), ...await groupsOf(id)]
    },
    async close() {
      await h.driver.close()
      assert.deepEqual(await processesOf(uidRange('hvt0')), [])
      assert.deepEqual(await readdir(config.stateDir), [])
      await removeTree(home)
    },
  }
  return h
})

describe('qemu on its own', () => {
  let home = '', base = '', config: QemuConfig, spec: (over?: Partial<InstanceSpec>) => InstanceSpec, driver: Hypervisor
  const made: string[] = []
  before(async () => {
    ({ home, base, config, spec } = await setUp('hvt1'))
    driver = await createQemu(config)
  })
  after(async () => {
    for (const id of made) await driver.remove(ctx, id)
    await driver.close()
    await removeTree(home)
  })
  const started = async (over: Partial<InstanceSpec> = {}): Promise<InstanceSpec> => {
    const one = spec(over)
    made.push(one.id)
    await driver.ensure(ctx, one)
    return one
  }
  const dirOf = (id: string): string => join(config.stateDir, 'instances', id)
  const greeted = (id: string): Promise<true> => waitFor('the greeting', async () => (await driver.consoleLog(ctx, id, 10_000)).includes(greeting) || undefined, 30_000)

  test('a guest has its own uid, session, group and device directory, no rights and no way to more', async () => {
    const { id } = await started(), { id: other } = await started()
    const [a, b] = [await qemuOf(driver, id), await qemuOf(driver, other)]
    assert.notEqual(a.uid, b.uid)
    const status = await readFile(`/proc/${a.pid}/status`, 'utf8')
    for (const line of [`Uid:\t${a.uid}\t${a.uid}\t${a.uid}\t${a.uid}`, `Gid:\t${a.uid}\t${a.uid}\t${a.uid}\t${a.uid}`, 'CapEff:\t0000000000000000', 'CapBnd:\t0000000000000000', 'NoNewPrivs:\t1', 'Seccomp:\t2']) assert.ok(status.includes(line), `${line} in\n${status}`)
    assert.match(status, /^Groups:\s*$/m)
    const session = (await readFile(`/proc/${a.pid}/stat`, 'utf8')).split(') ').at(-1)?.split(' ')[3]
    assert.equal(Number(session), a.pid)
    assert.deepEqual((await readdir(`/proc/${a.pid}/root/dev`)).sort(), ['net', 'null', 'urandom'])
    const groups = await readFile(`/proc/${a.pid}/cgroup`, 'utf8')
    if ((await groupsOf(id)).length > 0) assert.ok(groups.includes(`pileus-hvt1/${id}`), groups)
    else console.log('this host has no control groups we may use: limits not looked at')
    assert.match(await readFile(`/proc/${a.pid}/comm`, 'utf8'), /^pileus-hvt1/)
  })

  test('as its uid one reaches neither the disks, nor the monitor, nor what belongs to others', async () => {
    const { id } = await started()
    const { uid } = await qemuOf(driver, id)
    const as = (...command: string[]): Promise<{ code: number }> => exec('setpriv', [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...command], { okCodes: [0, 1, 2, 126, 127] })
    for (const path of [dirOf(id), join(dirOf(id), 'disk.qcow2'), join(dirOf(id), 'qmp.sock'), join(dirOf(id), 'vnc.sock'), base]) {
      assert.notEqual((await as('stat', path)).code, 0, path)
    }
    // Even if all above were open to it: the files themselves are root's alone. QEMU holds them open, the image for reading only.
    for (const name of ['disk.qcow2', 'spec.json', 'state.json', 'config.iso']) assert.equal((await stat(join(dirOf(id), name))).uid, 0)
    assert.equal((await stat(dirOf(id))).mode & 0o777, 0o700)
    const { pid } = await qemuOf(driver, id)
    for (const fd of await readdir(`/proc/${pid}/fd`)) {
      const target = await exec('readlink', [`/proc/${pid}/fd/${fd}`], { okCodes: [0, 1] })
      if (target.stdout.trim() !== base) continue
      const flags = Number.parseInt(/flags:\s+(\d+)/.exec(await readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8)
      assert.equal(flags & 3, 0, 'the image is open for writing')
    }
  })

  test('the serial log stays within its bounds, keeps the end, and needs no control plane', async () => {
    const bytes = 64 * 1024
    const small = await createQemu({ ...config, consoleBytes: bytes, stateDir: join(home, 'small'), cloudId: 'hvt2' })
    const one = spec()
    await small.ensure(ctx, one)
    await waitFor('the greeting', async () => (await small.consoleLog(ctx, one.id, bytes)).includes(greeting) || undefined, 30_000)
    await small.close() // nobody of ours is there any more
    const directory = join(home, 'small', 'instances', one.id, 'log')
    await send(join(home, 'small'), one.id, 'f')
    const inodes = new Set<number>()
    await waitFor('the files to change places often', async () => {
      const found = await stat(join(directory, 'console')).catch(() => undefined)
      if (found) inodes.add(found.ino)
      for (const name of await readdir(directory)) assert.ok(await stat(join(directory, name)).then(s => s.size <= bytes / 2, () => true), name)
      const greetingGone = !(await Promise.all((await readdir(directory)).map(name => readFile(join(directory, name), 'latin1').catch(() => '')))).join('').includes(greeting)
      return greetingGone && inodes.size >= 2 ? true : undefined
    }, 60_000, 5)
    const again = await createQemu({ ...config, consoleBytes: bytes, stateDir: join(home, 'small'), cloudId: 'hvt2' })
    const log = await again.consoleLog(ctx, one.id, bytes)
    assert.ok(log.length > 0 && log.length <= bytes && /^x+$/.test(log.toString('latin1')))
    await again.remove(ctx, one.id)
    await again.close()
  })

  test('a graphical console that speaks RFB', async () => {
    const { id } = await started()
    const socket = await connectUnix(await driver.vnc!.socket(ctx, id))
    const hello = await new Promise<Buffer>((resolve, reject) => { socket.once('data', resolve); socket.once('error', reject) })
    socket.destroy()
    assert.match(hello.toString('latin1'), /^RFB 003\./)
  })

  test('QEMU that cannot start: its own words for administrators, nothing left', async () => {
    const one = spec({ nics: [{ portId: newId(), mac: 'fa:16:3e:00:00:02', mtu: 1450, device: { tap: 'absent0' } }] })
    await assert.rejects(driver.ensure(ctx, one), error => error instanceof Fault && /could not start/.test(error.message) && /absent0/.test(error.adminDetail ?? '') && !/absent0/.test(error.message))
    await assert.rejects(stat(dirOf(one.id)))
    assert.deepEqual(await groupsOf(one.id), [])
    await driver.remove(ctx, one.id)
  })

  test('an image that is missing, of another format, or larger than the disk', async () => {
    const attempt = async (over: Partial<InstanceSpec>, expected: (fault: Fault) => boolean): Promise<void> => {
      const one = spec(over)
      await assert.rejects(driver.ensure(ctx, one), error => error instanceof Fault && expected(error))
      await assert.rejects(stat(dirOf(one.id)))
      await driver.remove(ctx, one.id)
    }
    await attempt({ rootDisk: { base: { path: join(home, 'none'), format: 'raw' }, sizeGib: 1 } }, fault => fault.kind === 'unavailable')
    await attempt({ rootDisk: { base: { path: join(home, 'image.raw'), format: 'qcow2' }, sizeGib: 1 } }, fault => fault.kind === 'badRequest')
    await writeFile(join(home, 'big.raw'), '')
    await exec('truncate', ['-s', '2G', join(home, 'big.raw')])
    await attempt({ rootDisk: { base: { path: join(home, 'big.raw'), format: 'raw' }, sizeGib: 1 } }, fault => /too small/.test(fault.message))
  })

  test('a raw image, and a disk as large as the image', async () => {
    const { id } = await started({ rootDisk: { base: { path: join(home, 'image.raw'), format: 'raw' }, sizeGib: 0 } })
    await greeted(id)
  })

  test('a full disk is said so and nothing is left', async () => {
    const full = join(home, 'full')
    await exec('mkdir', [full])
    await exec('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', full])
    try {
      const there = await createQemu({ ...config, stateDir: full, cloudId: 'hvt3' })
      const one = spec()
      await there.ownerUid(ctx, one.id)
      await assert.rejects(there.ensure(ctx, one), error => isFault(error, 'unavailable') && error.type === 'DiskFull')
      assert.deepEqual(await there.list(ctx), [])
      await there.remove(ctx, one.id)
      await there.close()
      assert.deepEqual(await readdir(full), [])
    } finally {
      await exec('umount', [full])
    }
  })

  test('a disk too full to suspend to: said so, and the guest runs on', async () => {
    const full = join(home, 'tight')
    await exec('mkdir', [full])
    await exec('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', full])
    try {
      const there = await createQemu({ ...config, stateDir: full, cloudId: 'hvt5' })
      const one = spec()
      delete one.configDrive
      await there.ensure(ctx, one)
      await assert.rejects(there.power(ctx, one.id, { to: 'suspend' }), error => isFault(error, 'unavailable') && error.type === 'DiskFull')
      assert.deepEqual(await there.list(ctx), [{ id: one.id, power: 'running' }])
      await there.remove(ctx, one.id)
      await there.close()
      assert.deepEqual(await readdir(full), [])
    } finally {
      await exec('umount', [full])
    }
  })

  test('an image that left the cache while the guest was off', async () => {
    const copy = join(home, 'copy.qcow2')
    await exec('cp', [base, copy])
    const { id } = await started({ rootDisk: { base: { path: copy, format: 'qcow2' }, sizeGib: 1 } })
    await driver.power(ctx, id, { to: 'off', graceMs: 0 })
    await exec('mv', [copy, `${copy}.away`])
    await assert.rejects(driver.power(ctx, id, { to: 'on' }), error => isFault(error, 'unavailable') && /cache/.test(error.message))
    await exec('mv', [`${copy}.away`, copy])
    await driver.power(ctx, id, { to: 'on' })
  })

  test('cards in a network namespace, opened without rights; another one is put in later', async () => {
    const netns = 'pileus-hvt1-ns'
    const one = spec()
    const uid = await driver.ownerUid(ctx, one.id)
    await exec('ip', ['netns', 'add', netns])
    try {
      for (const tap of ['tap0', 'tap1']) await exec('ip', ['-n', netns, 'tuntap', 'add', 'dev', tap, 'mode', 'tap', 'user', String(uid)])
      const nic = (n: number): InstanceSpec['nics'][number] => ({ portId: newId(), mac: `fa:16:3e:00:01:0${n}`, mtu: 1450, device: { tap: `tap${n}`, netns } })
      one.nics = [nic(0)]
      made.push(one.id)
      await driver.ensure(ctx, one)
      await exec('ip', ['-n', netns, 'link', 'set', 'tap0', 'up'])
      const carrier = async (tap: string): Promise<boolean> => /LOWER_UP/.test((await exec('ip', ['-n', netns, 'link', 'show', tap])).stdout)
      assert.ok(await carrier('tap0'))
      const second = nic(1)
      await driver.plug!.nic(ctx, one.id, second)
      await driver.plug!.nic(ctx, one.id, second)
      await exec('ip', ['-n', netns, 'link', 'set', 'tap1', 'up'])
      assert.ok(await carrier('tap1'))
      // Suspended and resumed, and started anew: both cards are there.
      for (const change of [{ to: 'suspend' }, { to: 'resume' }, { to: 'reboot', hard: true, graceMs: 0 }] as const) {
        await driver.power(ctx, one.id, change)
        assert.equal(await carrier('tap1'), change.to !== 'suspend')
      }
      await driver.remove(ctx, one.id)
      assert.ok(!await carrier('tap0'))
    } finally {
      await exec('ip', ['netns', 'del', netns])
    }
  })

  test('a suspended guest goes on where it was', async () => {
    const { id } = await started()
    await greeted(id)
    await driver.power(ctx, id, { to: 'suspend' })
    assert.deepEqual(await processesOf(new Set([await driver.ownerUid(ctx, id)])), [])
    await driver.close()
    driver = await createQemu(config)
    await driver.power(ctx, id, { to: 'resume' })
    await send(config.stateDir, id, 'm') // it still listens: it was not booted anew
    await waitFor('a second greeting', async () => (await driver.consoleLog(ctx, id, 10_000)).toString('latin1').split(greeting).length === 3 || undefined, 30_000)
    await assert.rejects(stat(join(dirOf(id), 'memory')))
  })

  test('a control plane that died between any two writes: ensure or remove repairs', async () => {
    // Its record says running and names no process: QEMU was started and the record of it never written.
    const forgotten = await started()
    await greeted(forgotten.id)
    const { pid } = await qemuOf(driver, forgotten.id)
    const strip = async (id: string): Promise<void> => {
      const path = join(dirOf(id), 'state.json'), state = JSON.parse(await readFile(path, 'utf8'))
      await writeFile(path, JSON.stringify({ power: 'running', shape: state.shape }))
    }
    const again = async (): Promise<void> => { await driver.close(); driver = await createQemu(config) }
    await again()
    await strip(forgotten.id)
    await driver.ensure(ctx, forgotten)
    assert.equal((await qemuOf(driver, forgotten.id)).pid, pid, 'adopted')
    await again()
    await strip(forgotten.id)
    await driver.remove(ctx, forgotten.id)
    assert.deepEqual(await processesOf(uidRange('hvt1')).then(all => all.filter(p => p.pid === pid)), [])
    // A record of a stop, but not stopped yet.
    const stopping = await started()
    const process = await qemuOf(driver, stopping.id)
    await again()
    const path = join(dirOf(stopping.id), 'state.json')
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), power: 'shutdown' }))
    assert.equal((await driver.list(ctx)).find(seen => seen.id === stopping.id)?.power, 'shutdown')
    assert.equal((await processesOf(new Set([process.uid]))).length, 0)
    await driver.ensure(ctx, stopping)
    await greeted(stopping.id)
    // Half-made: only a directory, only a disk that was not finished.
    for (const files of [[], ['disk.qcow2.new'], ['spec.json.1.tmp', 'qmp.sock.new']]) {
      const half = spec()
      made.push(half.id)
      await exec('mkdir', ['-p', dirOf(half.id)])
      for (const file of files) await writeFile(join(dirOf(half.id), file), 'half')
      assert.equal((await driver.list(ctx)).find(seen => seen.id === half.id), undefined)
      await driver.ensure(ctx, half)
      await driver.remove(ctx, half.id)
      await assert.rejects(stat(dirOf(half.id)))
    }
  })

  test('a guest that ended while nobody watched is found so, and reported to whoever watches next', async () => {
    const [killed, off] = [await started(), await started()]
    await greeted(off.id)
    const target = await qemuOf(driver, killed.id)
    await driver.close()
    await kill(target)
    await send(config.stateDir, off.id, 'q')
    driver = await createQemu(config)
    const seen = new Map<string, string>(), stop = new AbortController()
    driver.watch(stop.signal, change => { seen.set(change.id, change.power) })
    await waitFor('both reports', () => seen.has(killed.id) && seen.has(off.id) || undefined, 10_000)
    assert.deepEqual([seen.get(killed.id), seen.get(off.id)], ['crashed', 'shutdown'])
    stop.abort()
  })

  test('remove does not wait for a patient shutdown', async () => {
    const { id } = await started()
    await greeted(id)
    const off = driver.power(ctx, id, { to: 'off', graceMs: 600_000 })
    await driver.remove(ctx, id)
    await off
  })

  test('the state directory may have a very long name', async () => {
    const there = await createQemu({ ...config, stateDir: join(home, 'a'.repeat(120), 'state'), cloudId: 'hvt4' })
    const one = spec()
    await there.ensure(ctx, one)
    await there.power(ctx, one.id, { to: 'suspend' })
    await there.power(ctx, one.id, { to: 'resume' })
    await there.remove(ctx, one.id)
    await there.close()
  })
})
