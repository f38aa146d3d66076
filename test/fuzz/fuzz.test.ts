// A few hostile requests for every operation, always the same; fuzz.real.test.ts sends many, main.ts others each time.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { services } from '#services/index.ts'
import { kept } from './kept.ts'
import { fuzzService, startFuzzer, tell, type Fuzzer } from './run.ts'

let fuzzer: Fuzzer
before(async () => { fuzzer = await startFuzzer() })
after(() => fuzzer?.close())
const clean = (): void => { if (fuzzer.report.findings.length > 0) throw new Error(tell(fuzzer.report.findings.splice(0))) }

for (const module of services) {
  test(`${module.http.name}: whatever is sent, no answer is a 5xx, none is missing, none shows the inside`, async () => {
    await fuzzService(fuzzer, module, 'every time the same', 4)
    clean()
  })
}

test('the requests get through to the operations', () => {
  const of = (from: number): number => [...fuzzer.report.byStatus].filter(([status]) => status >= from && status < from + 100).reduce((sum, [, n]) => sum + n, 0)
  assert.ok(of(200) > fuzzer.report.requests / 4 && of(400) > fuzzer.report.requests / 4, JSON.stringify([...fuzzer.report.byStatus]))
})

for (const { seed, service, operation, index, was } of kept) {
  test(`${service}.${operation}: ${was}`, async () => {
    await fuzzService(fuzzer, services.find((s) => s.http.name === service)!, seed, index + 1, (op) => op.name === operation)
    clean()
  })
}
