// Records, definitions and quotas once more on the SQL servers: what SQLite forgives they do not, and only there do two transactions run at once.
import { onEngines } from '#test/on-engines.ts'

onEngines('image records', ['images/images', 'metadefs/metadefs', 'quota/quota'].map((name) => import.meta.resolve(`./${name}.test.ts`)))
