// A domain whose users stand in a directory: a real slapd.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Attribute, Change, Client } from 'ldapts'
import { scratch } from '#test/servers/process.ts'
import { startSlapd, type Slapd } from '#test/servers/slapd.ts'
import { startIdentity, type IdentityApi } from '../testing.ts'

const place = scratch('ldap')
let slapd: Slapd, api: IdentityApi, domainId: string, nowMs: number, admin: Client
const person = (uid: string, over: Record<string, string> = {}) => admin.add(`uid=${uid},ou=people,${slapd.suffix}`, {
  objectClass: ['inetOrgPerson'], uid, cn: uid, sn: 'x', mail: `${uid}@example.org`, userPassword: `password of ${uid}`, employeeType: 'staff', ...over,
})
const group = (cn: string, members: string[]) => admin.add(`cn=${cn},ou=groups,${slapd.suffix}`, { objectClass: ['groupOfNames'], cn, description: `the ${cn}`, member: members.map((uid) => `uid=${uid}, ou=People,${slapd.suffix}`) })
const configure = (over: object = {}) => api.admin('createDomainConfig', { params: { domain_id: domainId }, body: { config: { identity: { driver: 'ldap' }, ldap: {
  url: slapd.url, user: slapd.rootDn, password: slapd.password, suffix: slapd.suffix, user_tree_dn: `ou=people,${slapd.suffix}`, user_objectclass: 'inetOrgPerson', user_id_attribute: 'uid', user_name_attribute: 'cn',
  user_filter: '(employeeType=staff)', group_tree_dn: `ou=groups,${slapd.suffix}`, group_name_attribute: 'cn', user_enabled_attribute: 'title', ...over,
} } } })
const logIn = (name: string, password: string, scope?: object) => api.http('POST', '/identity/v3/auth/tokens', { body: { auth: {
  identity: { methods: ['password'], password: { user: { name, domain: { name: 'directory' }, password } } }, ...(scope && { scope }),
} } })
const list = (path: string) => api.http('GET', `/identity/v3${path}`, { token: api.adminToken })
const later = () => { nowMs += 70_000 }

before(async () => {
  nowMs = Date.now()
  slapd = await startSlapd(place.dir)
  admin = new Client({ url: slapd.url })
  await admin.bind(slapd.rootDn, slapd.password)
  await admin.add(slapd.suffix, { objectClass: ['dcObject', 'organization'], dc: 'example', o: 'Example' })
  for (const ou of ['people', 'groups']) await admin.add(`ou=${ou},${slapd.suffix}`, { objectClass: ['organizationalUnit'], ou })
  for (const uid of ['alice', 'bob', 'carol']) await person(uid)
  await person('guest', { employeeType: 'guest' })
  await person('disabled', { title: 'FALSE' })
  await person('star*)(uid=*', {}).catch(() => person('star'))
  await group('dev', ['alice', 'bob'])
  await group('ops', ['alice'])
  api = await startIdentity({ quiet: true, clock: () => nowMs, config: { tokenLifeSeconds: 36_000 } })
  domainId = (await api.admin('createDomain', { body: { domain: { name: 'directory' } } })).domain.id
  await configure()
})
after(async () => {
  await admin.unbind().catch(() => {})
  await api.close()
  await slapd.halt()
  place.remove()
})

test('who stands in the directory, in lists', async () => {
  // Domains' configs are looked at every few seconds.
  nowMs += 6_000
  const users = (await list(`/users?domain_id=${domainId}`)).body.users
  const found = Object.fromEntries(users.map((u: any) => [u.name, u]))
  assert.deepEqual([found.alice.email, found.alice.enabled, found.disabled.enabled, found.guest], ['alice@example.org', true, false, undefined])
  assert.match(found.alice.id, /^[0-9a-f]{64}$/)
  const groups = (await list(`/groups?domain_id=${domainId}`)).body.groups
  assert.deepEqual(groups.map((g: any) => [g.name, g.description]).sort(), [['dev', 'the dev'], ['ops', 'the ops']])
  const dev = groups.find((g: any) => g.name === 'dev')
  assert.deepEqual((await list(`/groups/${dev.id}/users`)).body.users.map((u: any) => u.name).sort(), ['alice', 'bob'])
  assert.deepEqual((await list(`/users/${found.alice.id}/groups`)).body.groups.map((g: any) => g.name).sort(), ['dev', 'ops'])
  assert.equal((await list(`/users/${found.alice.id}`)).body.user.domain_id, domainId)
})

test('a password of the directory lets in, with what the groups may', async () => {
  const groupId = (await list(`/groups?domain_id=${domainId}&name=ops`)).body.groups[0].id
  await api.admin('createProjectGroupGrant', { params: { project_id: api.projectId, group_id: groupId, role_id: api.seeded.roleIds.member! } })
  const reply = await logIn('alice', 'password of alice', { project: { id: api.projectId } })
  assert.equal(reply.status, 201, JSON.stringify(reply.body))
  assert.deepEqual([reply.body.token.user.name, reply.body.token.user.domain.name, reply.body.token.roles.map((r: any) => r.name).sort()], ['alice', 'directory', ['member', 'reader']])
  const byId = await api.http('POST', '/identity/v3/auth/tokens', { body: { auth: { identity: { methods: ['password'], password: { user: { id: reply.body.token.user.id, password: 'password of alice' } } } } } })
  assert.equal(byId.status, 201)
  assert.equal((await logIn('bob', 'password of bob', { project: { id: api.projectId } })).status, 401, 'not in the group')
})

test('nobody else: wrong and empty passwords, filtered, disabled, notation of filters', async () => {
  for (const [name, password] of [['alice', 'wrong'], ['bob', ''], ['guest', 'password of guest'], ['disabled', 'password of disabled'], ['nobody', 'x'], ['*', 'password of alice'], ['ali*', 'password of alice'],
    ['alice)(uid=*', 'password of alice'], [`cn=admin,${slapd.suffix}`, slapd.password]] as const) {
    assert.equal((await logIn(name, password)).status, 401, `${name}/${password}`)
  }
})

test('nothing is written', async () => {
  const [user] = (await list(`/users?domain_id=${domainId}&name=carol`)).body.users, [group] = (await list(`/groups?domain_id=${domainId}&name=dev`)).body.groups
  const refused: [method: string, path: string, body?: object][] = [
    ['POST', '/users', { user: { name: 'new', domain_id: domainId } }], ['PATCH', `/users/${user.id}`, { user: { description: 'x' } }], ['DELETE', `/users/${user.id}`], ['POST', '/groups', { group: { name: 'new', domain_id: domainId } }],
    ['PATCH', `/groups/${group.id}`, { group: { description: 'x' } }], ['DELETE', `/groups/${group.id}`], ['PUT', `/groups/${group.id}/users/${user.id}`], ['DELETE', `/groups/${group.id}/users/${user.id}`],
  ]
  for (const [method, path, body] of refused) assert.equal((await api.http(method, `/identity/v3${path}`, { token: api.adminToken, ...(body && { body }) })).status, 403, `${method} ${path}`)
})

test('what changes in the directory counts within a minute: names, groups, people', async () => {
  const token = (await logIn('alice', 'password of alice', { project: { id: api.projectId } })).headers.get('x-subject-token')!, bob = (await logIn('bob', 'password of bob')).headers.get('x-subject-token')!
  const valid = async (token: string) => (await api.http('GET', '/identity/v3/auth/tokens', { token: api.adminToken, headers: { 'x-subject-token': token } })).status
  const [before] = (await list(`/users?domain_id=${domainId}&name=bob`)).body.users
  assert.deepEqual([await valid(token), await valid(bob)], [200, 200])
  await admin.del(`cn=ops,ou=groups,${slapd.suffix}`)
  await admin.del(`uid=bob,ou=people,${slapd.suffix}`)
  later()
  assert.deepEqual([await valid(token), await valid(bob)], [404, 404])
  await person('bob')
  later()
  const [again] = (await list(`/users?domain_id=${domainId}&name=bob`)).body.users
  assert.deepEqual([again.id, again.enabled], [before.id, true], 'who comes back is who he was')
  assert.equal(await valid(bob), 404, 'his tokens are not')
  assert.equal((await logIn('bob', 'password of bob')).status, 201)
})

test('groups within groups count where the domain says so; rings end', async () => {
  const within = (cn: string, inner: string[]) => admin.add(`cn=${cn},ou=groups,${slapd.suffix}`, { objectClass: ['groupOfNames'], cn, member: inner.map((name) => `cn=${name}, ou=Groups,${slapd.suffix}`) })
  await group('inner', ['carol'])
  await within('middle', ['inner'])
  await within('outer', ['middle'])
  await admin.modify(`cn=inner,ou=groups,${slapd.suffix}`, new Change({ operation: 'add', modification: new Attribute({ type: 'member', values: [`cn=outer,ou=groups,${slapd.suffix}`] }) }))
  const [{ id }] = (await list(`/users?domain_id=${domainId}&name=carol`)).body.users, ofCarol = async (): Promise<string[]> => (await list(`/users/${id}/groups`)).body.groups.map((g: any) => g.name).sort()
  const membersOf = async (name: string): Promise<string[]> => (await list(`/groups/${(await list(`/groups?domain_id=${domainId}&name=${name}`)).body.groups[0].id}/users`)).body.users.map((u: any) => u.name)
  later()
  assert.deepEqual([await ofCarol(), await membersOf('outer')], [['inner'], []])
  await configure({ group_ad_nesting: true })
  later()
  assert.deepEqual([await ofCarol(), await membersOf('outer')], [['inner', 'middle', 'outer'], ['carol']], 'all read')
  await configure()
  assert.equal((await logIn('carol', 'password of carol')).status, 201)
  assert.deepEqual(await ofCarol(), ['inner'], 'the one read')
  await configure({ group_ad_nesting: true })
  assert.equal((await logIn('carol', 'password of carol')).status, 201)
  assert.deepEqual(await ofCarol(), ['inner', 'middle', 'outer'])
})

test('a directory that is away lets nobody in and takes nothing from anybody', async () => {
  const token = (await logIn('carol', 'password of carol')).headers.get('x-subject-token')!
  await slapd.halt()
  later()
  assert.equal((await logIn('carol', 'password of carol')).status, 503)
  assert.equal((await api.http('GET', '/identity/v3/auth/tokens', { token, headers: { 'x-subject-token': token } })).status, 200)
  assert.ok((await list(`/users?domain_id=${domainId}`)).body.users.length >= 4)
  await slapd.resume()
  assert.equal((await logIn('carol', 'password of carol')).status, 201)
})

test('TLS: by a certificate that is vouched for, or not at all', async () => {
  await configure({ url: slapd.tlsUrl })
  assert.equal((await logIn('carol', 'password of carol')).status, 503, 'nobody vouches for it')
  await configure({ url: slapd.tlsUrl, tls_cacertfile: slapd.certificateFile })
  assert.equal((await logIn('carol', 'password of carol')).status, 201)
  await configure({ use_tls: true, tls_cacertfile: slapd.certificateFile })
  assert.equal((await logIn('carol', 'password of carol')).status, 201, 'upgraded')
  await configure({ user_filter: '(broken' })
  assert.equal((await logIn('carol', 'password of carol')).status, 503, 'a filter that is none')
})
