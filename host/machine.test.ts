// Sockets for children, processes, control groups (over a pretended tree), image headers.
import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isFault } from '#base/errors.ts'
import { detectCgroups } from '#host/cgroup.ts'
import { exec, spawnDetached } from '#host/exec.ts'
import { removeTree } from '#host/files.ts'
import { bootId, ended, isRunning, kill, processesOf, startOf, uidOf } from '#host/processes.ts'
import { virtualSizeBytes } from '#host/qemu-img.ts'
import { connectUnix, listenFor } from '#host/sockets.ts'

const home = await mkdtemp(join(tmpdir(), 'pileus-host-'))
after(() => removeTree(home))

test('a process is known by its start', async () => {
  const { pid } = await spawnDetached('sleep', ['60'])
  const startTicks = await startOf(pid)
  assert.ok(startTicks !== undefined)
  assert.equal(await isRunning({ pid, startTicks }), true)
  assert.equal(await isRunning({ pid, startTicks: startTicks + 1 }), false)
  await kill({ pid, startTicks: startTicks + 1 }) // somebody else's by now: left alone
  assert.equal(await isRunning({ pid, startTicks }), true)
  assert.equal(await ended({ pid, startTicks }, 5), false)
  const me = process.getuid?.() ?? 0
  assert.equal(await uidOf(pid), me)
  assert.ok((await processesOf(new Set([me]))).some(found => found.pid === pid))
  await kill({ pid, startTicks })
  await kill({ pid, startTicks })
  assert.equal(await isRunning({ pid, startTicks }), false)
  assert.match(await bootId(), /^[0-9a-f-]{36}$/)
})

test('a listening socket passes to a child and stays when ours is closed, under names long and short', async () => {
  for (const directory of [join(home, 's'), join(home, 'l'.repeat(150))]) {
    await mkdir(directory)
    const path = join(directory, 'a.sock')
    const listening = await listenFor(path)
    const child = await spawnDetached(process.execPath, ['-e', 'const s = require("net").createServer(c => c.end("hello")); s.listen({ fd: 3 })'], { stdio: ['ignore', 'ignore', 'ignore', listening.fd] })
    await listening.release()
    const socket = await connectUnix(path) // before the child is ready: the kernel keeps us in the queue
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    assert.equal(text, 'hello')
    assert.deepEqual(await readdir(directory), ['a.sock'])
    await kill({ pid: child.pid, startTicks: await startOf(child.pid) ?? -1 })
    await assert.rejects(connectUnix(path), error => isFault(error, 'unavailable'))
  }
})

test('control groups of both versions', async () => {
  const limits = { memoryBytes: 512, cpus: 1.5 }
  const two = join(home, 'two')
  await mkdir(two)
  await writeFile(join(two, 'cgroup.controllers'), 'cpu memory pids')
  const v2 = await detectCgroups(two, join(home, 'no-systemd'))
  assert.equal(v2.kind, 'v2')
  await v2.ensure('pileus-x', 'id', limits)
  await v2.ensure('pileus-x', 'id', limits)
  await v2.add('pileus-x', 'id', 42)
  const read = (...path: string[]): Promise<string> => readFile(join(home, ...path), 'utf8')
  assert.deepEqual(await Promise.all(['memory.max', 'cpu.max', 'cgroup.procs'].map(name => read('two', 'pileus-x', 'id', name))), ['512', '150000 100000', '42'])
  assert.equal(await read('two', 'pileus-x', 'cgroup.subtree_control'), '+memory +cpu')
  const one = join(home, 'one')
  for (const controller of ['memory', 'cpu']) { await mkdir(join(one, controller), { recursive: true }); await writeFile(join(one, controller, 'cgroup.procs'), '') }
  const v1 = await detectCgroups(one, join(home, 'no-systemd'))
  assert.equal(v1.kind, 'v1')
  await v1.ensure('pileus-x', 'id', limits)
  await v1.add('pileus-x', 'id', 42)
  assert.deepEqual([await read('one', 'memory', 'pileus-x', 'id', 'memory.limit_in_bytes'), await read('one', 'cpu', 'pileus-x', 'id', 'cpu.cfs_quota_us')], ['512', '150000'])
  const none = await detectCgroups(join(home, 'nothing'), join(home, 'no-systemd'))
  assert.equal(none.kind, 'none')
  await none.ensure('g', 'm', limits)
  const systemd = await detectCgroups(one, home)
  assert.deepEqual(systemd.wrap('pileus-x', 'id', limits, ['qemu', '-x']).slice(-3), ['--', 'qemu', '-x'])
})

test('the size a guest would see', async () => {
  const path = join(home, 'disk')
  await exec('truncate', ['-s', '3M', path])
  assert.equal(await virtualSizeBytes(path, 'raw'), 3 * 1024 ** 2)
  await assert.rejects(virtualSizeBytes(path, 'qcow2'), error => isFault(error, 'badRequest'))
  const header = Buffer.alloc(104)
  header.write('QFI\xfb', 'latin1')
  header.writeBigUInt64BE(5n * 1024n ** 3n, 24)
  await writeFile(path, header)
  await chmod(path, 0o400)
  assert.equal(await virtualSizeBytes(path, 'qcow2'), 5 * 1024 ** 3)
})
