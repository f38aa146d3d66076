// The sagas' tests on the SQL servers: leases, fences and pre-emption stand on what these promise of transactions side by side.
import { onEngines } from '#test/on-engines.ts'

onEngines('sagas', ['runner', 'leases', 'preempt', 'away', 'contract'].map((name) => import.meta.resolve(`./${name}.test.ts`)))
