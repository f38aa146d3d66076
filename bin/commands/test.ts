// `pileus test`: installs what the tests need and runs all of them: types, the inner loop, then whatever needs root, servers or guests.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { TestEvent } from '#tools/test-reporter.ts'
import { fileLine, printFailures, printSpent, printSummary, root, runReal, runUnit, spentInTests, summarize, testFiles } from '#tools/test-run.ts'
import { ensurePackages, testNeeds } from '../packages.ts'
import { options } from '../usage.ts'

const help = `Installs what the tests need (saying what and why) and runs all of them.

Usage: ./pileus test [--only WORD] [--no-install]

  --only WORD    only the files whose path holds the word
  --no-install   list what is missing instead of installing it

npm test is the inner loop: no root, no servers, two minutes.
`

/** What is not done by then is reported as failed: CI would otherwise be cut off without a word. */
const allMs = 60 * 60_000

export async function run(args: string[]): Promise<number> {
  const given = options(args, { only: { type: 'string' } }, help)
  if (!given) return 0
  const startedAt = performance.now()
  await ensurePackages(testNeeds, { install: given['no-install'] !== true, say: (line) => process.stdout.write(`${line}\n`) })

  const results: TestEvent[] = [], spent: { what: string, ms: number }[] = []
  if (given.only === undefined) {
    const from = performance.now()
    const { status } = spawnSync(process.execPath, [join(root, 'tools/check.ts')], { stdio: 'inherit' })
    results.push({ file: 'tsconfig.json', name: 'the project type-checks', passed: status === 0, tookMs: performance.now() - from, ...(status !== 0 && { error: 'see above' }) })
  }
  const unit = await testFiles('unit', given.only)
  if (unit.length > 0) {
    const from = performance.now(), found = await runUnit(unit)
    results.push(...found)
    spent.push({ what: `npm test, ${unit.length} files`, ms: performance.now() - from })
    process.stdout.write(fileLine(spent.at(-1)!.what, found, spent.at(-1)!.ms))
    printFailures(found)
    printSpent(spentInTests(found))
  }
  results.push(...await runReal(await testFiles('real', given.only), () => allMs - (performance.now() - startedAt), (file, found, tookMs) => {
    spent.push({ what: file, ms: tookMs })
    process.stdout.write(fileLine(file, found, tookMs))
    printFailures(found)
  }))
  // Once more where they are looked for.
  printFailures(results)
  printSpent(spent, 25)
  const summary = summarize(results)
  printSummary(summary, performance.now() - startedAt)
  return summary.failed > 0 || results.length === 0 ? 1 : 0
}
