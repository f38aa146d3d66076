// The few of every run once more on the SQL servers, which keep less than SQLite does: NULs, half characters, numbers beyond a column's.
import { onEngines } from '../on-engines.ts'

onEngines('fuzz', [import.meta.resolve('./fuzz.test.ts')])
