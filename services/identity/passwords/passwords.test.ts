import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPasswords, cheap, digestSecret, fitsDigest } from './hasher.ts'
import { createLimiter } from './limiter.ts'
import { adminPassword, startIdentity } from '../testing.ts'

test('a hash is argon2id at 19 MiB and two passes unless a test asks for less', async () => {
  assert.match(await createPasswords().hash('x'), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  assert.match(await createPasswords(cheap).hash('x'), /^\$argon2id\$v=19\$m=8,t=1,p=1\$/)
})

test('only the right password fits, and none fits where there is none', async () => {
  const passwords = createPasswords(cheap), stored = await passwords.hash('right')
  assert.equal(await passwords.verify(stored, 'right'), true)
  for (const [hash, password] of [[stored, 'wrong'], [stored, ''], [null, 'right'], [undefined, 'nobody has this password'], ['rubbish', 'right']] as const) assert.equal(await passwords.verify(hash, password), false)
  const long = 'x'.repeat(4096), longStored = await passwords.hash(long)
  assert.equal(await passwords.verify(longStored, long), true)
  assert.equal(await passwords.verify(longStored, `${long}y`), false, 'never compared by its first part only')
})

test('past the queue the answer is 503 with Retry-After, and the queue empties', async () => {
  const passwords = createPasswords(cheap, { running: 2, waiting: 3 })
  const all = await Promise.allSettled(Array.from({ length: 8 }, () => passwords.hash('x')))
  assert.deepEqual(all.map((r) => r.status), ['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected', 'rejected'])
  const reason = (all[7] as PromiseRejectedResult).reason
  assert.deepEqual([reason.kind, reason.headers], ['unavailable', { 'retry-after': '1' }])
  assert.equal((await Promise.allSettled(Array.from({ length: 5 }, () => passwords.hash('x')))).every((r) => r.status === 'fulfilled'), true)
})

test('who waits is asked again when his turn comes', async () => {
  const passwords = createPasswords(cheap, { running: 1, waiting: 5 }), stored = await passwords.hash('x')
  await assert.rejects(passwords.verify(stored, 'x', () => { throw new Error('not now') }), /not now/)
  assert.equal(await passwords.verify(stored, 'x'), true, 'the place was given back')
})

test('secrets of our own making are kept as digests', () => {
  assert.equal(fitsDigest(digestSecret('a'), 'a'), true)
  assert.equal(fitsDigest(digestSecret('a'), 'b'), false)
})

test('failures are counted by user and source, by source, by user, and leak away', () => {
  let nowMs = 0
  const limiter = createLimiter({ clock: () => nowMs, pair: { burst: 2, everySeconds: 10 }, source: { burst: 4, everySeconds: 10 }, user: { burst: 6, everySeconds: 10 } })
  const fail = (user: string, address: string, times: number): void => { for (let i = 0; i < times; i++) { limiter.check(user, address); limiter.failed(user, address) } }
  const refused = (user: string, address: string): void => assert.throws(() => limiter.check(user, address), (e: any) => e.kind === 'tooManyRequests' && Number(e.headers['retry-after']) >= 1)
  fail('a', '1', 2)
  refused('a', '1')
  limiter.check('a', '2')
  limiter.check('b', '1')
  fail('b', '1', 2)
  refused('c', '1')
  fail('a', '2', 2)
  fail('a', '3', 2)
  refused('a', '4')
  nowMs += 10_000
  limiter.check('a', '1')
  fail('a', '1', 1)
  refused('a', '1')
  nowMs += 100_000
  fail('a', '1', 2)
  limiter.succeeded('a', '1')
  limiter.check('a', '1')
})

test('the addresses of one IPv6 network count as one, and memory is bounded', () => {
  const limiter = createLimiter({ pair: { burst: 1, everySeconds: 1000 } })
  limiter.failed('a', '2001:db8:1:2:3:4:5:6')
  assert.throws(() => limiter.check('a', '2001:db8:1:2::9'))
  limiter.check('a', '2001:db8:1:3::9')
  limiter.failed('b', '::ffff:10.0.0.1')
  assert.throws(() => limiter.check('b', '10.0.0.1'))
  const small = createLimiter({ maxKeys: 10 })
  for (let i = 0; i < 1000; i++) small.failed(`u${i}`, '1')
  small.check('u1', '2')
})

test('over HTTP: too many failures are 429, for users that exist as for others, and only for that user and source', async () => {
  const api = await startIdentity({ limiter: { pair: { burst: 3, everySeconds: 1000 } } })
  try {
    const attempt = (user: object) => api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['password'], password: { user } } } } })
    for (const name of ['admin', 'nosuch']) {
      const statuses: number[] = []
      for (let i = 0; i < 5; i++) statuses.push((await attempt({ name, domain: { id: 'default' }, password: 'wrong' })).status)
      assert.deepEqual(statuses, [401, 401, 401, 429, 429], name)
    }
    const right = await attempt({ name: 'admin', domain: { id: 'default' }, password: adminPassword })
    assert.deepEqual([right.status, Number(right.headers.get('retry-after')) > 0], [429, true], 'even with the right password: else 429 would tell which is right')
    assert.equal((await attempt({ name: 'demo', domain: { id: 'default' }, password: 'the-demo-password' })).status, 201)
    const change = () => api.http('POST', `/identity/v3/users/${api.seeded.demoUserId}/password`, { body: { user: { original_password: 'wrong', password: 'next' } } })
    assert.deepEqual([(await change()).status, (await change()).status, (await change()).status, (await change()).status], [401, 401, 401, 429])
  } finally { await api.close() }
})

test('over HTTP: a full queue is 503 with Retry-After, for whomever', async () => {
  const api = await startIdentity()
  try {
    api.deps.passwords = createPasswords(cheap, { running: 0, waiting: 0 })
    for (const name of ['demo', 'nosuch']) {
      const reply = await api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['password'], password: { user: { name, domain: { id: 'default' }, password: 'the-demo-password' } } } } } })
      assert.deepEqual([reply.status, reply.headers.get('retry-after'), reply.body.error.title], [503, '1', 'Service Unavailable'])
    }
    assert.equal((await api.http('GET', '/identity/v3/users', { token: api.adminToken })).status, 200, 'who has a token does not notice')
  } finally { await api.close() }
})

test('over HTTP: one user is one to the limiter, whatever else a guess says that nobody looks at', async () => {
  const api = await startIdentity({ limiter: { pair: { burst: 3, everySeconds: 1000 } } })
  try {
    const guess = async (method: 'password' | 'totp', user: object) => (await api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: [method], [method]: { user: { password: 'wrong', passcode: '000000', ...user } } } } } })).status
    for (const [method, burst] of [['password', 3], ['totp', 5]] as const) {
      const statuses: number[] = []
      for (let i = 0; i <= burst; i++) statuses.push(await guess(method, { name: 'demo', domain: { name: 'Default', id: `random-${i}` } }))
      assert.deepEqual([statuses.slice(0, burst).every((s) => s === 401), statuses.at(-1)], [true, 429], method)
      assert.equal(await guess(method, { name: 'demo', domain: { name: 'Default' } }), 429, method)
    }
  } finally { await api.close() }
})
