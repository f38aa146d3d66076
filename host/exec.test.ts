import { test } from 'node:test'
import assert from 'node:assert/strict'
import { CommandFault, exec, execJson, spawnDetached } from '#host/exec.ts'

const failure = (work: Promise<unknown>): Promise<CommandFault> => work.then(() => assert.fail('must fail'), error => { assert.ok(error instanceof CommandFault, String(error)); return error })

test('arguments reach the command as they are, no shell reads them', async () => {
  const { stdout } = await exec('printf', ['%s|', '$HOME', '`id`', 'a b', ';'])
  assert.equal(stdout, '$HOME|`id`|a b|;|')
})

test('stdin is given and closed, stderr is kept apart', async () => {
  assert.deepEqual(await exec('cat', [], { stdin: 'hello' }), { code: 0, stdout: 'hello', stderr: '' })
  const { stdout, stderr } = await exec('sh', ['-c', 'echo out; echo err >&2'])
  assert.deepEqual([stdout, stderr], ['out\n', 'err\n'])
})

test('a failure carries the code and the end of stderr, the public message neither', async () => {
  const fault = await failure(exec('sh', ['-c', 'echo first; echo the reason >&2; exit 3']))
  assert.equal(fault.code, 3)
  assert.equal(fault.stderr, 'the reason')
  assert.equal(fault.message, 'sh failed (exit code 3)')
  assert.equal((await exec('sh', ['-c', 'exit 3'], { okCodes: [0, 3] })).code, 3)
})

test('a command that is not there, too slow, too loud or cancelled', async () => {
  assert.match((await failure(exec('/nonexistent/x', []))).message, /could not be started/)
  assert.match((await failure(exec('sleep', ['60'], { timeoutMs: 20 }))).message, /longer than 20 ms/)
  assert.match((await failure(exec('yes', [], { maxOutputBytes: 1000 }))).message, /more than 1000 bytes/)
  const stop = new AbortController()
  const running = failure(exec('sleep', ['60'], { signal: stop.signal }))
  stop.abort()
  assert.match((await running).message, /cancelled/)
  assert.match((await failure(exec('true', [], { signal: stop.signal }))).message, /cancelled/)
})

test('a grandchild that holds the pipes does not hold us after the time is over', async () => {
  assert.match((await failure(exec('sh', ['-c', 'sleep 5 & wait'], { timeoutMs: 50 }))).message, /longer than/)
})

test('JSON answers', async () => {
  assert.deepEqual(await execJson('echo', ['[{"a":1}]']), [{ a: 1 }])
  assert.equal(await execJson('true', []), undefined)
  assert.match((await failure(execJson('echo', ['{']))).message, /other than JSON/)
})

test('a daemon has its own session and its last words are kept', async () => {
  const daemon = await spawnDetached('sh', ['-c', 'ps -o sid= -p $$ >&2; exit 7'], { stdio: ['ignore', 'ignore', 'pipe'] })
  assert.equal((await daemon.exited).code, 7)
  assert.equal(Number(daemon.stderrTail()), daemon.pid)
  await failure(spawnDetached('/nonexistent/x', []))
})
