// How tests speak to network: what should succeed answers its body, what should fail its status and neutron's name for the fault.
import assert from 'node:assert/strict'
import type { Call } from '#kit/http/client.ts'
import type { TestNetwork } from './start.ts'

export interface Caller {
  ok<T = any>(operation: string, call?: Call, as?: string): Promise<T>
  /** `409 NetworkInUse` */
  refused(expected: string, operation: string, call?: Call, as?: string): Promise<void>
  /** Makes one and answers it. */
  make(operation: string, one: string, values: object, as?: string): Promise<any>
  network(values?: object, as?: string): Promise<any>
  /** A subnet, with a network of its own unless one is named. */
  subnet(values?: Record<string, unknown>, as?: string): Promise<any>
  port(networkId: string, values?: object, as?: string): Promise<any>
  external(cidr?: string): Promise<{ networkId: string, subnetId: string }>
}

export function callerOf(api: () => TestNetwork): Caller {
  const me: Caller = {
    async ok(operation, call, as = 'member') {
      const { status, body } = await api().call<any>(as, 'network', operation, call)
      assert.ok(status < 300, `${operation}: ${status} ${JSON.stringify(body)}`)
      return body
    },
    async refused(expected, operation, call, as = 'member') {
      const { status, body } = await api().call<any>(as, 'network', operation, call)
      assert.equal(`${status} ${body?.NeutronError?.type}`, expected, `${operation}: ${JSON.stringify(body)}`)
      assert.equal(typeof body.NeutronError.message, 'string')
      assert.equal(body.NeutronError.detail, '')
    },
    make: async (operation, one, values, as) => (await me.ok(operation, { body: { [one]: values } }, as))[one],
    network: (values = {}, as) => me.make('createNetwork', 'network', { name: 'n', ...values }, as),
    subnet: async (values = {}, as) => me.make('createSubnet', 'subnet', { ip_version: 4, cidr: '10.1.0.0/24', network_id: values.network_id ?? (await me.network({}, as)).id, ...values }, as),
    port: (networkId, values = {}, as) => me.make('createPort', 'port', { network_id: networkId, ...values }, as),
    async external(cidr = '172.24.4.0/24') {
      const network = await me.network({ 'router:external': true }, 'admin')
      const subnet = await me.subnet({ network_id: network.id, cidr, enable_dhcp: false }, 'admin')
      return { networkId: network.id, subnetId: subnet.id }
    },
  }
  return me
}
