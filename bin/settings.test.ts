import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings, type UpValues } from './settings.ts'
import { Usage } from './usage.ts'

const refused = (values: UpValues, why: RegExp): Promise<void> => assert.rejects(readSettings(values), (error) => error instanceof Usage && why.test(error.message))

test('without options: the loopback, port 5000, the operator beside it', async () => {
  const { listen, operatorPort, driver, publicUrl, database, bus } = await readSettings({})
  assert.deepEqual({ listen, operatorPort, driver, publicUrl, database, bus }, { listen: { address: '127.0.0.1', port: 5000 }, operatorPort: 5001, driver: 'qemu', publicUrl: undefined, database: undefined, bus: { transport: 'local' } })
})

test('others may reach the API over TLS only, or when told so', async () => {
  await refused({ listen: '0.0.0.0' }, /--tls-cert.*--insecure/)
  await refused({ listen: '::' }, /--insecure/)
  assert.equal((await readSettings({ listen: '192.0.2.1', insecure: true })).listen.address, '192.0.2.1')
  assert.match((await readSettings({ listen: '0.0.0.0', insecure: true })).publicUrl!, /^http:\/\/[\d.]+:5000$/)
  for (const listen of ['127.0.0.5', '::1', 'localhost']) await readSettings({ listen })
})

test('what cannot be is refused with the option\'s name', async () => {
  await refused({ port: '70000' }, /--port 70000/)
  await refused({ port: 'x' }, /--port x/)
  await refused({ port: '5000', 'operator-port': '5000' }, /--operator-port/)
  await refused({ listen: 'example.org' }, /--listen/)
  await refused({ 'public-url': 'cloud' }, /--public-url/)
  await refused({ 'public-url': 'https://u:p@cloud' }, /--public-url/)
  await refused({ driver: 'xen' }, /--driver/)
  await refused({ database: 'oracle://x' }, /--database/)
  await refused({ bus: 'kafka://x' }, /--bus/)
  await refused({ 'tls-cert': '/etc/hostname' }, /go together/)
  await refused({ 'tls-cert': '/nowhere', 'tls-key': '/nowhere' }, /cannot be read/)
  await refused({ 'tls-cert': '/etc/hostname', 'tls-key': '/etc/hostname' }, /no PEM certificate/)
  await refused({ 'tls-client-ca': '/etc/hostname' }, /--tls-client-ca needs --tls-cert/)
  await refused({ 'external-cidr': '10.0.0.1/24' }, /--external-cidr/)
  await refused({ 'log-level': 'loud' }, /--log-level/)
})

test('a public URL loses its slash, databases and brokers are understood', async () => {
  const { publicUrl, database, bus } = await readSettings({ 'public-url': 'https://cloud.example.org/', 'database': 'mariadb://u:p@h/n', 'bus': 'amqp://u:p@h' })
  assert.deepEqual({ publicUrl, database, bus }, { publicUrl: 'https://cloud.example.org', database: { engine: 'mysql', url: 'mysql://u:p@h/n' }, bus: { transport: 'rabbitmq', url: 'amqp://u:p@h' } })
})
