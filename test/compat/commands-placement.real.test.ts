// Placement, by the unmodified `openstack` client with Debian's python3-osc-placement: every command it has.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { newId } from '#base/ids.ts'
import { column, commands } from './shared-cloud.ts'

const entryPoints = globSync('/usr/lib/python3/dist-packages/osc_placement-*/entry_points.txt')[0]
if (entryPoints === undefined || !existsSync(entryPoints)) throw new Error('needs the client\'s commands for placement: apt-get install python3-osc-placement')
const every = [...readFileSync(entryPoints, 'utf8').matchAll(/^(\w+) = osc_placement\.resources/gm)].map(([, name]) => name!.replaceAll('_', ' '))

const c = await commands()
test.after(() => c.close())
/** Which commands were run: at the end, all must have been. */
const run = new Set<string>()
const noted = <T>(how: (line: string, ...more: string[]) => Promise<T>) => (version: string, line: string, ...more: string[]): Promise<T> => {
  run.add(every.filter((name) => line.startsWith(name)).sort((a, b) => b.length - a.length)[0] ?? line)
  return how(`--os-placement-api-version ${version} ${line}`, ...more)
}
const say = noted(c.admin), json = noted((line, ...more) => c.admin.json<any>(line, ...more)), fails = noted((line, ...more) => c.admin.fails(line, ...more))
const host = newId(), card = newId(), aggregate = newId(), consumer = newId()

test('resource providers and their trees', async () => {
  const made = await json('1.39', `resource provider create host1 --uuid ${host}`)
  assert.deepEqual([made.uuid, made.name, made.generation, made.root_provider_uuid, made.parent_provider_uuid], [host, 'host1', 0, host, null])
  assert.equal((await json('1.29', `resource provider create card1 --uuid ${card} --parent-provider ${host}`)).root_provider_uuid, host)
  assert.equal((await json('1.0', 'resource provider list --name host1')).length, 1)
  assert.deepEqual(column(await json('1.14', `resource provider list --in-tree ${card}`), 'name').sort(), ['card1', 'host1'])
  assert.equal((await json('1.14', `resource provider set ${card} --name gpu1 --parent-provider ${host}`)).name, 'gpu1')
  assert.equal((await json('1', `resource provider show ${card}`)).parent_provider_uuid, host)
  assert.match(await fails('1.29', `resource provider delete ${host}`), /409|child/)
  assert.match(await fails('1.29', 'resource provider create host1'), /already exists/)
  assert.match(await c.demo.fails('resource provider list'), /403/)
})

test('resource classes', async () => {
  await say('1.29', 'resource class create CUSTOM_FPGA')
  await say('1.29', 'resource class set CUSTOM_FPGA')
  assert.equal((await json('1.29', 'resource class show CUSTOM_FPGA')).name, 'CUSTOM_FPGA')
  assert.ok(column(await json('1.29', 'resource class list'), 'name').includes('VCPU'))
  await say('1.29', 'resource class delete CUSTOM_FPGA')
  assert.match(await fails('1.29', 'resource class show CUSTOM_FPGA'), /No such resource class/)
})

test('inventories', async () => {
  const set = await json('1.29', `resource provider inventory set ${host} --resource VCPU=16 --resource MEMORY_MB=2048 --resource MEMORY_MB:step_size=128 --resource DISK_GB=100`)
  assert.deepEqual(column(set, 'resource_class').sort(), ['DISK_GB', 'MEMORY_MB', 'VCPU'])
  await say('1.29', `resource provider inventory set ${card} --resource VGPU=4`)
  assert.equal((await json('1.29', `resource provider inventory class set ${host} VCPU --total 8 --allocation_ratio 2`)).allocation_ratio, 2)
  assert.equal((await json('1.29', `resource provider inventory show ${host} MEMORY_MB`)).step_size, 128)
  await say('1.29', `resource provider inventory delete ${host} --resource-class DISK_GB`)
  assert.deepEqual(column(await json('1.29', `resource provider inventory list ${host}`), 'resource_class'), ['MEMORY_MB', 'VCPU'])
})

test('traits', async () => {
  await say('1.29', 'trait create CUSTOM_FAST')
  await say('1.29', 'trait show CUSTOM_FAST')
  assert.deepEqual(column(await json('1.29', 'trait list --name startswith:CUSTOM_FA'), 'name'), ['CUSTOM_FAST'])
  assert.deepEqual(column(await json('1.29', `resource provider trait set ${card} --trait CUSTOM_FAST --trait HW_GPU_API_VULKAN`), 'name').sort(), ['CUSTOM_FAST', 'HW_GPU_API_VULKAN'])
  assert.equal((await json('1.29', `resource provider trait list ${card}`)).length, 2)
  assert.ok(column(await json('1.29', 'trait list --associated'), 'name').includes('CUSTOM_FAST'))
  assert.deepEqual(column(await json('1.39', 'resource provider list --required CUSTOM_FAST,HW_GPU_API_DXVA'), 'name'), ['gpu1'])
  assert.match(await fails('1.29', 'trait delete CUSTOM_FAST'), /in use/)
})

test('aggregates', async () => {
  const { generation } = await json('1.29', `resource provider show ${host}`)
  assert.deepEqual(column(await json('1.29', `resource provider aggregate set ${host} --aggregate ${aggregate} --generation ${generation}`), 'uuid'), [aggregate])
  assert.deepEqual(column(await json('1.29', `resource provider aggregate list ${host}`), 'uuid'), [aggregate])
  assert.deepEqual(column(await json('1.29', `resource provider list --member-of ${aggregate}`), 'name'), ['host1'])
})

test('allocation candidates, allocations and usages', async () => {
  const found = await json('1.39', `allocation candidate list --resource VCPU=2 --member-of ${aggregate} --group G --resource VGPU=1 --required CUSTOM_FAST --limit 5`)
  assert.deepEqual(found.map((row: any) => [row['#'], row['resource provider'], row.allocation]).sort(), [[1, host, 'VCPU=2'], [1, card, 'VGPU=1']].sort())
  await say('1.39', `resource provider allocation set ${consumer} --allocation rp=${host},VCPU=2,MEMORY_MB=256 --allocation rp=${card},VGPU=1 --project-id p1 --user-id u1 --consumer-type INSTANCE`)
  const shown = await json('1.39', `resource provider allocation show ${consumer}`)
  assert.deepEqual(column(shown, 'consumer_type'), ['INSTANCE', 'INSTANCE'])
  assert.deepEqual((await json('1.29', `resource provider usage show ${host}`)).map((r: any) => [r.resource_class, r.usage]).sort(), [['MEMORY_MB', 256], ['VCPU', 2]])
  assert.deepEqual((await json('1.29', 'resource usage show p1 --user-id u1')).map((r: any) => [r.resource_class, r.usage]).sort(), [['MEMORY_MB', 256], ['VCPU', 2], ['VGPU', 1]])
  assert.ok((await json('1.29', `resource provider show ${host} --allocations`)).allocations[consumer])
  await say('1.39', `resource provider allocation unset ${consumer} --provider ${card}`)
  assert.deepEqual(column(await json('1.39', `resource provider allocation show ${consumer}`), 'resource_provider'), [host])
  assert.match(await fails('1.39', `resource provider allocation set ${newId()} --allocation rp=${host},VCPU=100 --project-id p1 --user-id u1 --consumer-type INSTANCE`), /exceed the capacity/)
  await say('1.29', `resource provider allocation delete ${consumer}`)
})

test('and all goes away', async () => {
  await say('1.29', `resource provider trait delete ${card}`)
  await say('1.29', 'trait delete CUSTOM_FAST')
  await say('1.29', `resource provider inventory delete ${host}`)
  for (const id of [card, host]) await say('1.29', `resource provider delete ${id}`)
  assert.deepEqual(every.filter((name) => !run.has(name)), [], 'commands that were not run')
})
