// Fuzzing by hand, and a finding once more:  node test/fuzz/main.ts [--seed WORD] [--count N] [--only SERVICE[.OPERATION]] [--index N]
import { parseArgs } from 'node:util'
import { services } from '#services/index.ts'
import { fuzzService, startFuzzer, tell } from './run.ts'

const { values } = parseArgs({ options: { seed: { type: 'string' }, count: { type: 'string' }, only: { type: 'string' }, index: { type: 'string' } } })
const seed = values.seed ?? String(Date.now()), [onlyService, onlyOperation] = values.only?.split('.') ?? []
// What came before an index may have changed something: it is sent too.
const count = values.index !== undefined ? Number(values.index) + 1 : Number(values.count ?? 200)
const fuzzer = await startFuzzer({ logLevel: 'error' })
process.stdout.write(`seed ${seed}\n`)
for (const module of services.filter((s) => !onlyService || s.http.name === onlyService)) {
  const startedAt = performance.now(), before = fuzzer.report.requests
  await fuzzService(fuzzer, module, seed, count, (op) => !onlyOperation || op.name === onlyOperation)
  const sent = fuzzer.report.requests - before, tookMs = performance.now() - startedAt
  process.stdout.write(`${module.http.name}: ${sent} requests, ${(tookMs / sent).toFixed(2)} ms each, heap ${(await fuzzer.heapMib()).toFixed(0)} MiB\n`)
}
await fuzzer.close()
process.stdout.write(`${[...fuzzer.report.byStatus].sort(([a], [b]) => a - b).map(([status, n]) => `${status}: ${n}`).join(', ')}\n${tell(fuzzer.report.findings)}\n`)
process.exit(fuzzer.report.findings.length > 0 ? 1 : 0)
