import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyRules, checkRules, Unmapped, type Mapped, type Rules, type SchemaVersion } from './rules.ts'

const said = { UserName: ['bob'], FirstName: ['Bob'], LastName: ['Thompson'], Email: ['bob@example.com', 'b@example.com'], orgPersonType: ['Employee', 'Tester'], groups: ['dev', 'ops', 'admin'], Empty: [] as string[] }
const apply = (rules: object[], schemaVersion: SchemaVersion = '1.0', assertion: Record<string, string[]> = said): Mapped =>
  applyRules({ id: 'm', rules: rules as Rules, schemaVersion }, new Map(Object.entries(assertion)))
const user = { user: { name: '{0}' } }, name = { type: 'UserName' }

test('values go where the rule says, by their place', () => {
  const mapped = apply([{ local: [{ user: { id: '{2}', name: '{0} {1}', email: '{3}', domain: { name: 'Home' } } }], remote: [{ type: 'FirstName' }, { type: 'LastName' }, { type: 'orgPersonType', any_one_of: ['Tester'] }, name, { type: 'Email' }] }])
  assert.deepEqual(mapped.user, { type: 'ephemeral', id: 'bob', name: 'Bob Thompson', email: 'bob@example.com', domain: { name: 'Home' } }, 'a condition of any_one_of has no place')
  assert.equal(apply([{ local: [{ user: { name: '{{{0}}}' } }], remote: [name] }]).user.name, '{bob}')
})

test('any_one_of, not_any_of, with and without regular expressions', () => {
  const fits = (condition: object): boolean => { try { apply([{ local: [user], remote: [name, { type: 'orgPersonType', ...condition }] }]); return true } catch { return false } }
  assert.deepEqual([
    fits({ any_one_of: ['Tester', 'x'] }), fits({ any_one_of: ['Test'] }), fits({ any_one_of: ['^Test'], regex: true }), fits({ any_one_of: ['^Test'], regex: false }), fits({ any_one_of: [] }),
    fits({ not_any_of: ['Contractor'] }), fits({ not_any_of: ['Tester'] }), fits({ not_any_of: ['.*er$'], regex: true }), fits({ not_any_of: [] }), fits({}),
  ], [true, false, true, false, false, true, false, false, true, true])
  assert.throws(() => apply([{ local: [user], remote: [name, { type: 'Unknown', not_any_of: ['x'] }] }]), Unmapped, 'what is not said fits nothing')
  assert.throws(() => apply([{ local: [user], remote: [name, { type: 'Empty' }] }]), Unmapped)
})

test('groups: listed, filtered, by id, as another keystone names them', () => {
  const groups = (local: object, condition: object, assertion = said) => apply([{ local: [user, local], remote: [name, { type: 'groups', ...condition }] }], '1.0', assertion)
  const home = { domain: { id: 'd' } }, named = (...names: string[]) => names.map((n) => ({ name: n, domain: { id: 'd' } }))
  assert.deepEqual(groups({ groups: '{1}', ...home }, {}).groups, named('dev', 'ops', 'admin'))
  assert.deepEqual(groups({ groups: '{1}', ...home }, { whitelist: ['dev', 'qa'] }).groups, named('dev'))
  assert.deepEqual(groups({ groups: '{1}', ...home }, { blacklist: ['admin'] }).groups, named('dev', 'ops'))
  assert.deepEqual(groups({ groups: '{1}', ...home }, { blacklist: ['^(a|d)'], regex: true }).groups, named('ops'))
  assert.deepEqual(groups({ groups: '{1}', ...home }, { whitelist: [] }).groups, [])
  assert.deepEqual(groups({ groups: 'fixed', ...home }, {}).groups, named('fixed'))
  assert.deepEqual(groups({ groups: '[\'a\', "b{0}"]', ...home }, {}).groups, named('a', 'bbob'))
  assert.deepEqual(groups({ group_ids: '{1}' }, {}).groupIds, ['dev', 'ops', 'admin'])
  assert.deepEqual(groups({ group: { id: 'x' } }, {}).groupIds, ['x'])
  assert.deepEqual(groups({ group: { name: '{0}-s', domain: { name: 'D' } } }, {}).groups, [{ name: 'bob-s', domain: { name: 'D' } }])
  assert.deepEqual(groups({ groups: '{1}' }, {}, { ...said, groups: ['JSON:{"name":"g","domain":{"name":"Default"}}'] }).groups, [{ name: 'g', domain: { name: 'Default' } }])
  assert.throws(() => groups({ groups: '{1}' }, {}), Unmapped, 'a name without a domain')
  assert.deepEqual(groups({ groups: '{1}', ...home }, {}, { ...said, groups: ['[\'admin\']'] }).groups, named('[\'admin\']'), 'what somebody is called is no notation')
})

test('the first user counts; local users; no rule, no user; one place, one value', () => {
  assert.equal(apply([{ local: [user], remote: [name] }, { local: [{ user: { name: 'other' } }], remote: [name] }]).user.name, 'bob')
  assert.equal(apply([{ local: [{ user: { name: '{0}', type: 'local', domain: { id: 'default' } } }], remote: [name] }]).user.type, 'local')
  for (const rules of [[{ local: [user], remote: [{ type: 'nothing' }] }], [{ local: [{ user: { name: '{1}' } }], remote: [name] }], [{ local: [user], remote: [{ type: 'groups' }] }]]) assert.throws(() => apply(rules), Unmapped)
})

test('projects and domains by version of the language', () => {
  const projects = [{ name: 'p-{0}', roles: [{ name: 'member' }] }]
  const rules = [{ local: [{ ...user, domain: { id: 'd' }, projects }], remote: [name] }]
  assert.deepEqual(apply(rules), { user: { type: 'ephemeral', name: 'bob' }, groupIds: [], groups: [], projects: [{ name: 'p-bob', roles: [{ name: 'member' }] }] })
  const second = apply(rules, '2.0')
  assert.deepEqual([second.user.domain, second.projects[0]!.domain], [{ id: 'd' }, { id: 'd' }])
  const told = JSON.stringify([{ name: 'x', roles: [{ name: 'reader' }], domain: { name: 'There' } }])
  assert.deepEqual(apply([{ local: [{ ...user, projects_json: '{1}' }], remote: [name, { type: 'projects' }] }], '3.0', { ...said, projects: [told] }).projects, [{ name: 'x', roles: [{ name: 'reader' }], domain: { name: 'There' } }])
  for (const bad of ['x', '{}', '[1]', '[{"name":"x"}]', `[${'{"name":"x","roles":[]},'.repeat(101)}0]`]) {
    assert.throws(() => apply([{ local: [{ ...user, projects_json: '{1}' }], remote: [name, { type: 'projects' }] }], '3.0', { ...said, projects: [bad] }), Unmapped)
  }
})

test('rules are checked when they are set', () => {
  const check = (local: object, remote: object, version: SchemaVersion = '1.0') => checkRules([{ local: [local], remote: [remote] }] as unknown as Rules, version)
  assert.throws(() => check(user, { type: 'x', any_one_of: ['(a'], regex: true }), /regular expression '\(a' cannot be used: a group without its end/)
  assert.doesNotThrow(() => check(user, { type: 'x', any_one_of: ['(a'], regex: false }))
  assert.throws(() => check(user, { type: 'x', any_one_of: [], blacklist: [] }), /may have one of/)
  assert.throws(() => check(user, { type: 'x', regex: true }), /nothing it speaks of/)
  assert.throws(() => check({ projects_json: '{0}' }, name, '2.0'), /projects_json/)
  assert.throws(() => check({ projects: [{ name: 'x', roles: [], domain: { id: 'd' } }] }, name), /domain/)
})

test('no login costs more than it may', () => {
  const rules = [{ local: [user], remote: [name, { type: 'groups', any_one_of: Array.from({ length: 100 }, () => '(a?){300}b'), regex: true }] }]
  assert.throws(() => apply(rules, '1.0', { ...said, groups: Array.from({ length: 50 }, () => 'a'.repeat(1000)) }), /take too long/)
})
