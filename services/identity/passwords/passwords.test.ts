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
  const go = async (): Promise<void> => { throw new Error('not now') }
  const [first, second] = await Promise.allSettled([passwords.verify(stored, 'x', go), passwords.verify(stored, 'x', go)])
  assert.deepEqual(first, { status: 'fulfilled', value: true }, 'who need not wait was asked a moment ago')
  assert.match((second as PromiseRejectedResult).reason.message, /not now/)
  assert.equal(await passwords.verify(stored, 'x'), true, 'the place was given back')
})

test('secrets of our own making are kept as digests', () => {
  assert.equal(fitsDigest(digestSecret('a'), 'a'), true)
  assert.equal(fitsDigest(digestSecret('a'), 'b'), false)
})

const isRefusal = (e: any): boolean => e.kind === 'tooManyRequests' && Number(e.headers['retry-after']) >= 1

test('failures are counted by user and source, by source, by user, for all control planes together, and leak away', async (t) => {
  const api = await startIdentity()
  t.after(() => api.close())
  let nowMs = 1_000_000, turns = 0
  const setup = { clock: () => nowMs, pair: { burst: 2, everySeconds: 10 }, source: { burst: 4, everySeconds: 10 }, user: { burst: 6, everySeconds: 10 } }
  // As two processes over one database: each failure is told to another one.
  const planes = [createLimiter(api.deps.store, setup), createLimiter(api.deps.store, setup)]
  const fail = async (user: string, address: string, times: number): Promise<void> => { for (let i = 0; i < times; i++) { const plane = planes[turns++ % 2]!; await plane.check(user, address); await plane.failed(user, address) } }
  const free = async (user: string, address: string): Promise<void> => { for (const plane of planes) await plane.check(user, address) }
  const refused = async (user: string, address: string): Promise<void> => { for (const plane of planes) await assert.rejects(plane.check(user, address), isRefusal) }
  await fail('a', '1', 2)
  await refused('a', '1')
  await free('a', '2')
  await free('b', '1')
  await fail('b', '1', 2)
  await refused('c', '1')
  await fail('a', '2', 2)
  await fail('a', '3', 2)
  await refused('a', '4')
  nowMs += 10_000
  await free('a', '1')
  await fail('a', '1', 1)
  await refused('a', '1')
  nowMs += 100_000
  await fail('a', '1', 2)
  await planes[0]!.succeeded('a', '1')
  await free('a', '1')
})

test('strangers who fail in somebody\'s name do not keep him out of where he got in before; he himself is bounded there', async (t) => {
  const api = await startIdentity()
  t.after(() => api.close())
  let nowMs = 1_000_000
  const limiter = createLimiter(api.deps.store, { clock: () => nowMs, pair: { burst: 2, everySeconds: 10 }, source: { burst: 100, everySeconds: 1 }, user: { burst: 6, everySeconds: 1e6 } })
  await limiter.succeeded('a', 'home')
  for (let i = 0; i < 20; i++) await limiter.failed('a', `stranger ${i}`)
  await assert.rejects(limiter.check('a', 'elsewhere'), isRefusal)
  await limiter.check('a', 'home')
  await assert.rejects(limiter.check('a', 'stranger 99'), isRefusal)
  for (let i = 0; i < 2; i++) await limiter.failed('a', 'home')
  await assert.rejects(limiter.check('a', 'home'), isRefusal)
  nowMs += 20_000
  await limiter.check('a', 'home')
  await limiter.succeeded('a', 'home')
  assert.equal(await limiter.check('a', 'home'), false, 'what is remembered is not written again')
  nowMs += 31 * 86_400_000
  for (let i = 0; i < 20; i++) await limiter.failed('a', `stranger ${i}`)
  await assert.rejects(limiter.check('a', 'home'), isRefusal, 'not for ever')
})

test('where people got in long ago is forgotten, though nobody ever fails', async (t) => {
  const api = await startIdentity()
  t.after(() => api.close())
  let nowMs = 1_000_000
  const limiter = createLimiter(api.deps.store, { name: 'alone', clock: () => nowMs })
  const count = async (): Promise<number> => (await api.deps.store.read((tx) => tx.db.selectFrom('identityFailureBuckets').selectAll().where('emptyAtMs', '<', 1e11).execute())).length
  for (let i = 0; i < 99; i++) await limiter.succeeded(`u${i}`, 'home')
  assert.equal(await count(), 99)
  nowMs += 31 * 86_400_000
  await limiter.succeeded('one more', 'home')
  assert.equal(await count(), 1)
})

test('the addresses of one IPv6 network count as one, names of limiters are apart, and what leaked away is forgotten', async (t) => {
  const api = await startIdentity()
  t.after(() => api.close())
  let nowMs = 1_000_000
  const setup = { clock: () => nowMs, pair: { burst: 1, everySeconds: 1000 }, source: { burst: 1000, everySeconds: 1 }, user: { burst: 1000, everySeconds: 1 } }
  const limiter = createLimiter(api.deps.store, setup)
  await limiter.failed('a', '2001:db8:1:2:3:4:5:6')
  await assert.rejects(limiter.check('a', '2001:db8:1:2::9'), isRefusal)
  await limiter.check('a', '2001:db8:1:3::9')
  await createLimiter(api.deps.store, { ...setup, name: 'other' }).check('a', '2001:db8:1:2::9')
  await limiter.failed('b', '::ffff:10.0.0.1')
  await assert.rejects(limiter.check('b', '10.0.0.1'), isRefusal)
  const count = async (): Promise<number> => (await api.deps.store.read((tx) => tx.db.selectFrom('identityFailureBuckets').selectAll().execute())).length
  const before = await count() - 6
  for (let i = 0; i < 97; i++) await limiter.failed(`u${i}`, '1')
  assert.ok(await count() > 190)
  nowMs += 1_000_000
  await limiter.failed('last', '1')
  assert.equal(await count(), before + 3)
  const queries = api.store.queries
  assert.equal(await limiter.check('nobody', '7'), true, 'that he comes from there is to be written down')
  assert.equal(api.store.queries - queries, 1)
  await limiter.succeeded('nobody', '7')
  assert.equal(await limiter.check('nobody', '7'), false)
  nowMs += 1_000_000
  assert.equal(await limiter.check('last', '1'), true)
})

test('an IPv6 network is the same wherever sockets write :: for its zeros', async (t) => {
  const api = await startIdentity()
  t.after(() => api.close())
  const limiter = createLimiter(api.deps.store, { pair: { burst: 1, everySeconds: 1000 } })
  for (const [user, from, same, other] of [
    ['a', 'fe80::1', ['fe80::2', 'fe80::5054:ff:fe12:3456', 'fe80:0:0:0:1::'], 'fe80:0:0:1::1'], ['b', '2001:db8::1:2:3:4', ['2001:db8::', '2001:db8:0:0:5::', '2001:db8::1.2.3.4'], '2001:db8:0:1::1'],
    ['c', '::1', ['::2', '::7:8:9:a'], '1::1'],
  ] as const) {
    await limiter.failed(user, from)
    for (const address of same) await assert.rejects(limiter.check(user, address), isRefusal, address)
    await limiter.check(user, other)
  }
})

test('a burst of guesses at once is no more guesses than one after the other, however long a directory takes to answer', async (t) => {
  const api = await startIdentity({ limiter: { pair: { burst: 3, everySeconds: 1000 } } }), guessed: string[] = []
  t.after(() => api.close())
  const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve) })
  api.deps.directories = { ...api.deps.directories, has: async () => true, async logIn(_domainId, _name, password) { guessed.push(password); for (let i = 0; i < 50; i++) await turn(); return undefined } }
  const guess = (password: string) => api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['password'], password: { user: { name: 'demo', domain: { id: 'default' }, password } } } } } })
  const statuses = (await Promise.all(Array.from({ length: 12 }, (_x, i) => guess(String(i))))).map((reply) => reply.status).sort()
  assert.deepEqual([statuses, guessed.length], [[401, 401, 401, ...Array<number>(9).fill(429)], 3])
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
