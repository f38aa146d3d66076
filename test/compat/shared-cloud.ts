// What the tests of commands begin with: a cloud with fake drivers and the real client, in its users' names.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testCloud, type TestCloud } from '../cloud.ts'
import { missingClient, startClient, type Client, type OpenStack } from './client.ts'

export interface Commands { cloud: TestCloud, client: Client, demo: OpenStack, admin: OpenStack, dir: string, close(): Promise<void> }

/** Throws, saying what to install, when the client is not there: these tests are never skipped in silence. */
export async function commands(): Promise<Commands> {
  const missing = missingClient()
  if (missing !== undefined) throw new Error(missing)
  const cloud = await testCloud()
  const client = await startClient(cloud.url)
  const dir = mkdtempSync(join(tmpdir(), 'pileus-commands-'))
  return {
    cloud, client, dir, demo: client.as({ username: 'demo', password: cloud.config.secrets.demoPassword }), admin: client.as({ username: 'admin', password: cloud.config.secrets.adminPassword }),
    async close() {
      await client.close()
      await cloud.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** A table's column. */
export const column = (rows: Record<string, unknown>[], name: string): unknown[] => rows.map((row) => row[name])
