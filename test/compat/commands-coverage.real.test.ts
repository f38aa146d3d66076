// Every command that the `openstack` client has for identity and image is run by one of the tests of commands beside this, or stands here as one that is not.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { missingClient } from './client.ts'
import { notRun } from './commands-not-run.ts'

test('every command of the client for identity and image is run once', (t) => {
  const missing = missingClient()
  if (missing !== undefined) throw new Error(missing)
  const python = 'import importlib.metadata as m\nfor g in ("openstack.identity.v3", "openstack.image.v2"):\n  for e in m.entry_points(group=g): print(e.name.replace("_", " "))'
  const commands = [...new Set(execFileSync('/usr/bin/python3', ['-c', python], { encoding: 'utf8' }).trim().split('\n'))].sort()
  const texts = readdirSync(import.meta.dirname).filter((name) => /^commands-.*\.real\.test\.ts$/.test(name) && !name.includes('coverage')).map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')).join('\n')
  const run = (command: string): boolean => new RegExp(`['"\`]${command}(?![\\w-]| [a-z]+ ?(?:list|show|create|delete|set|add|remove))`).test(texts) || new RegExp(`['"\`]${command}['" ]`).test(texts)
  const left = commands.filter((command) => !run(command))
  t.diagnostic(`${commands.length - left.length} of ${commands.length} commands are run`)
  assert.deepEqual(left.filter((command) => !(command in notRun)), [], 'commands that no test runs')
  assert.deepEqual(Object.keys(notRun).filter((command) => !left.includes(command)), [], 'run by now, or no command at all: take them from the list')
})
