// Two hundred hostile requests for every operation, always the same: what a change broke is to be red, not what nobody had looked for. Others each time are sent by
// `node test/fuzz/main.ts`, and what they find is kept in kept.ts. Not for want of root: it takes minutes.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { services } from '#services/index.ts'
import { fuzzService, startFuzzer, tell, type Fuzzer } from './run.ts'

let fuzzer: Fuzzer
before(async () => { fuzzer = await startFuzzer() })
after(() => fuzzer?.close())
const seed = 'hundreds', heap: number[] = []

for (const half of ['first', 'second'] as const) {
  for (const module of services) {
    test(`${module.http.name}, the ${half} hundred: whatever is sent, no answer is a 5xx, none is missing, none shows the inside`, async () => {
      await fuzzService(fuzzer, module, `${seed}-${half}`, 100)
      if (fuzzer.report.findings.length > 0) throw new Error(tell(fuzzer.report.findings.splice(0)))
    })
  }
  test(`the heap after the ${half} half`, async () => { heap.push(await fuzzer.heapMib()) })
}

// What the first half filled (compiled schemas, bounded caches) is full: the same again adds next to nothing.
test('memory does not grow', (t) => {
  t.diagnostic(`${fuzzer.report.requests} requests; heap ${heap.map((h) => h.toFixed(0)).join(' → ')} MiB`)
  assert.ok(heap[1]! - heap[0]! < 16, `${heap[0]} → ${heap[1]} MiB`)
})
