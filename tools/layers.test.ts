import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readImports } from './imports.ts'
import { doors, violations } from './layers.ts'

const root = join(import.meta.dirname, '..')

test('the project keeps to its layers', () => {
  assert.deepEqual(violations(readImports(root)), [])
})

test('every package has a door', async () => {
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, Record<string, string>>
  const missing = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !name.startsWith('@types/') && !doors.some((d) => d.packages.test(name)))
  assert.deepEqual(missing, [])
})

const judged = (files: Record<string, string>): string[] => violations(readImports(root, files))

test('the tables say yes where they should', () => {
  assert.deepEqual(judged({
    'services/compute/servers/api.ts': "import { x } from '#kit/http/operation.ts'\nimport { y } from './store.ts'\nimport type { S } from '#services/image/service.ts'",
    'services/image/images/api.ts': "import type { Blob } from '#drivers/blob/contract.ts'",
    'services/compute/servers/store.ts': "import { sql } from 'kysely'",
    'services/compute/conductor/hosts-store.ts': "import { sql } from 'kysely'",
    'drivers/hypervisor/qemu/driver.ts': "import { q } from '#host/qmp.ts'\nimport type { H } from '../contract.ts'",
    'drivers/hypervisor/qemu/driver.real.test.ts': "import { suite } from '../suite.ts'",
    'agents/compute/agent.ts': "import { b } from '#services/compute/bus.ts'\nimport type { H } from '#drivers/hypervisor/contract.ts'",
    'bin/cloud.ts': "import { a } from '#services/compute/service.ts'",
    'services/image/images/access.ts': "import { verdicts } from '#kit/testing/access.ts'",
    'services/compute/testing/start.ts': "import { startApi } from '#kit/testing/api.ts'",
    'kit/service.ts': "import type { A } from '#kit/testing/access.ts'",
  }), [])
})

const refused: [file: string, line: string, why: RegExp][] = [
  ['services/compute/servers/api.ts', "import { z } from '#services/network/ports/store.ts'", /may not import services\/network/],
  ['services/compute/servers/api.ts', "import { z } from '#services/network/service.ts'", /except as a type/],
  ['services/compute/servers/api.ts', "const z = await import('#services/network/service.ts')", /except as a type/],
  ['services/compute/servers/api.ts', "export { z } from '#agents/compute/agent.ts'", /may not import agents/],
  ['services/compute/servers/api.ts', "import { sql } from 'kysely'", /SQL is written in stores/],
  ['services/compute/restore.ts', "import { sql } from 'kysely'", /SQL is written in stores/],
  ['services/image/upload.ts', "import { S3 } from '#drivers/blob/s3/driver.ts'", /may not import drivers/],
  ['services/image/upload.ts', "import { spawn } from 'node:child_process'", /starts processes/],
  ['services/image/upload.ts', "import { world } from '#kit/testing/api.ts'", /may not import kit\/testing/],
  ['services/image/upload.ts', "import { x } from './upload.test.ts'", /may not import a test/],
  ['services/image/upload.ts', "import x from 'left-pad'", /no row in the table of doors/],
  ['drivers/hypervisor/qemu/driver.ts', "import { b } from '../libvirt/xml.ts'", /may not import drivers\/hypervisor\/libvirt/],
  ['drivers/hypervisor/qemu/driver.ts', "import type { C } from '#kit/store/store.ts'", /may not import kit/],
  ['drivers/hypervisor/contract.ts', "import { C } from '#base/context.ts'", /except as a type/],
  ['agents/compute/agent.ts', "import { d } from '#drivers/hypervisor/index.ts'", /may not import drivers/],
  ['agents/compute/agent.ts', "import { d } from '#agents/network/agent.ts'", /may not import agents/],
  ['kit/http/server.ts', "import type { S } from '#services/compute/service.ts'", /may not import services/],
  ['kit/http/server.ts', "import { S } from '#kit/testing/api.ts'", /may not import kit\/testing/],
  ['base/ids.ts', "import { S } from '#kit/service.ts'", /may not import kit/],
  ['host/exec.ts', "import { S } from '#kit/service.ts'", /may not import kit/],
  ['bin/cloud.ts', "import { S } from '#test/cloud.ts'", /may not import test/],
  ['elsewhere/x.ts', "import { S } from '#base/ids.ts'", /stands in no layer/],
]

test('the tables say no where they should', () => {
  for (const [file, line, why] of refused) {
    const found = judged({ [file]: `// import x from 'not-this'\nconst text = "import y from 'nor-this'"\n${line}` })
    assert.equal(found.length, 1, `${file}: ${line}: ${found}`)
    assert.match(found[0]!, why)
  }
})
