// The inner loop, `npm test`: every unit test, or those whose path holds a word. `./pileus test` runs all there is.
//   node tools/test.ts unit [WORD]     node tools/test.ts real [WORD]
import { fileLine, printFailures, printSpent, printSummary, runReal, runUnit, spentInTests, summarize, testFiles } from './test-run.ts'
import type { TestEvent } from './test-reporter.ts'

const [kind = 'unit', pattern] = process.argv.slice(2)
if (kind !== 'unit' && kind !== 'real') {
  process.stderr.write('usage: node tools/test.ts unit|real [WORD]\n')
  process.exit(2)
}
const startedAt = performance.now()
const files = await testFiles(kind, pattern)
const results: TestEvent[] = []
if (kind === 'unit') {
  results.push(...await runUnit(files))
} else {
  results.push(...await runReal(files, () => 3_600_000, (file, found, tookMs) => process.stdout.write(fileLine(file, found, tookMs))))
}
printFailures(results)
printSpent(spentInTests(results))
const summary = summarize(results)
printSummary(summary, performance.now() - startedAt)
process.exitCode = summary.failed > 0 || results.length === 0 ? 1 : 0
