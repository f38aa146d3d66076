// Tells test-run.ts what happened, a line of JSON an event, on descriptor 3. Loaded by node:test, which takes a reporter's default export.
import { writeSync } from 'node:fs'

export interface TestEvent { file: string, name: string, passed: boolean, skipped?: string, tookMs: number, /** Without the tests within it. */ ownMs?: number, line?: number, error?: string }
export type ReporterLine = TestEvent | { end: true }

/** An error as a person reads it: the assertion's own words, its causes, and where. */
function words(error: any): string {
  const first = error?.code === 'ERR_TEST_FAILURE' && error.cause !== undefined ? error.cause : error
  if (!(first instanceof Error)) return String(first)
  const parts = [first.stack ?? first.message]
  for (let e: unknown = first.cause; e instanceof Error && parts.length < 6; e = e.cause) parts.push(`caused by ${e.stack ?? e.message}`)
  return parts.join('\n')
}

function eventOf(passed: boolean, data: any, ownMs: number): TestEvent {
  const skipped = data.skip !== undefined ? (data.skip === true ? 'no reason given' : String(data.skip)) : data.todo !== undefined ? 'to be written' : undefined
  return {
    file: data.file ?? '', name: data.name, passed, tookMs: data.details?.duration_ms ?? 0, ownMs,
    ...(skipped !== undefined && { skipped }), ...(data.line !== undefined && { line: data.line }), ...(!passed && { error: words(data.details?.error) }),
  }
}

export default async function* reporter(source: AsyncIterable<{ type: string, data: any }>): AsyncGenerator<string> {
  // Written at once: whoever kills this process shall find what it did.
  const tell = (line: ReporterLine): void => { writeSync(3, `${JSON.stringify(line)}\n`) }
  // What tests and suites took, by how deep they lie, since the one around them began: those within are told first.
  const within: number[] = []
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail' && type !== 'test:summary') continue
    const depth: number = data.nesting ?? 0, took: number = data.details?.duration_ms ?? 0, ownMs = Math.max(0, took - (within[depth + 1] ?? 0))
    within[depth + 1] = 0
    within[depth] = (within[depth] ?? 0) + took
    if (type === 'test:pass' && data.details?.type !== 'suite') tell(eventOf(true, data, ownMs))
    else if (type === 'test:fail') tell(eventOf(false, data, ownMs))
    // A summary without a file is the whole run's.
    else if (type === 'test:summary' && data.file === undefined) tell({ end: true })
  }
  yield ''
}
