// The same stories, races and access on the SQL servers: what SQLite forgives they do not.
import { onEngines } from '#test/on-engines.ts'

onEngines('placement', ['access', 'behaviour', 'races'].map((name) => new URL(`./${name}.test.ts`, import.meta.url).href))
