// The house rules that a machine can see; layers.ts holds who may import whom.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { projectFiles } from './project-files.ts'

const root = join(import.meta.dirname, '..')
const files = await projectFiles(root)
const source = files.filter((file) => /\.(ts|tsx|mjs|js)$/.test(file))
const texts = new Map(await Promise.all(files.filter((file) => /\.(ts|tsx|mjs|js|sh|md|json)$/.test(file) || !basename(file).includes('.')).map(async (file) => [file, await readFile(join(root, file), 'utf8')] as const)))

/** Every line of the given files that the expression fits, as `file:line: text`. */
function lines(expression: RegExp, among: (file: string) => boolean): string[] {
  return [...texts].filter(([file]) => among(file)).flatMap(([file, text]) => text.split('\n').flatMap((line, i) => expression.test(line) ? [`${file}:${i + 1}: ${line.trim().slice(0, 120)}`] : []))
}
const isSource = (file: string): boolean => source.includes(file)

test('file names say something', () => {
  assert.deepEqual(files.filter((file) => /(^|\/)(utils?|helpers?|common|misc|managers?|stuff)(\.|\/)/i.test(file)), [])
})

/** Loaded by programs that take nothing but a default export. */
const namedDefaults = new Set(['tools/test-reporter.ts'])

test('every export has a name', () => {
  assert.deepEqual(lines(/^\s*export\s+default\b|\bas\s+default\b/, (file) => isSource(file) && !namedDefaults.has(file)), [])
})

test('nothing is left for later', () => {
  // Spelled in two parts, lest this line finds itself.
  assert.deepEqual(lines(new RegExp(`\\b(TO${'DO'}|FIX${'ME'}|XX${'X'}|HA${'CK'})\\b`), isSource), [])
})

test('types are erased, not compiled', () => {
  assert.deepEqual(lines(/@ts-(ignore|nocheck|expect-error)\b/, (file) => isSource(file) && file !== 'tools/house.test.ts'), [])
})

test('only composition roots and tests read the environment', () => {
  assert.deepEqual(lines(/\bprocess\.env\b/, (file) => isSource(file) && !/^(bin|test|tools)\/|\.test\.ts$/.test(file)), [])
})

test('no path of one particular machine', () => {
  const ofAMachine = /(^|[^\w.}])\/(root|work|workspace|builds?)\/\w/
  assert.deepEqual(lines(ofAMachine, (file) => !file.startsWith('tools/guest-image/guest') && file !== 'package-lock.json'), [])
})

test('the lockfile names no host, and no package runs a script', async () => {
  const lock = JSON.parse(texts.get('package-lock.json')!) as { packages: Record<string, { resolved?: string, hasInstallScript?: boolean }> }
  const bad = Object.entries(lock.packages).filter(([, p]) => p.resolved !== undefined || p.hasInstallScript)
  assert.deepEqual(bad.map(([name]) => name), [])
})

test('every service tries the access it expects, and counts the queries of its lists', () => {
  const all = files.flatMap((file) => /^services\/[^/]+(?=\/service\.ts$)/.exec(file) ?? [])
  assert.deepEqual(all.filter((service) => !['runAccess(', 'runQueries('].every((word) => texts.get(`${service}/access.test.ts`)?.includes(word))), [])
})
