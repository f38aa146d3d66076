import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identitySettings } from './settings.ts'

test('what is said is kept, the rest stays as it is', () => {
  assert.deepEqual(identitySettings({}), {})
  assert.deepEqual(identitySettings({ listLimit: 100, enforcementModel: 'strict_two_level', security: { lockoutFailureAttempts: 5 } }),
    { listLimit: 100, enforcementModel: 'strict_two_level', security: { lockoutFailureAttempts: 5, lockoutDurationSeconds: 1800 } })
  assert.deepEqual(identitySettings({ security: { lockoutDurationSeconds: null } }), { security: {} })
})

test('what makes no sense is refused before the cloud starts', () => {
  for (const [value, why] of [
    [{ colour: 'red' }, /colour/], [{ listLimit: 0 }, /listLimit/], [{ enforcementModel: 'steep' }, /enforcementModel/], [[], /./], [{ security: { passwordRegex: '(' } }, SyntaxError],
    [{ security: { lockoutFailureAttempts: '5' } }, /lockoutFailureAttempts/], [{ security: { passwordExpiresDays: 5, minimumPasswordAgeDays: 5 } }, /less than/],
  ] as const) assert.throws(() => identitySettings(value), why)
})
