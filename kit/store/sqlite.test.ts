import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { storeSuite } from './suite.ts'

const dir = mkdtempSync(join(tmpdir(), 'pileus-sqlite-'))
after(() => rmSync(dir, { recursive: true, force: true }))
let databases = 0

storeSuite('SQLite', async () => ({ engine: 'sqlite', file: join(dir, `${databases++}.db`), volatile: true }))
