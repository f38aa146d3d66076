// The same tests on the SQL servers: what SQLite forgives they do not.
import { onEngines } from '#test/on-engines.ts'

onEngines('image', ['images/data', 'stage/stage', 'imports/imports', 'cache/cache'].map((name) => import.meta.resolve(`./${name}.test.ts`)))
