// The same six operations on each of the nouns that carry tags.
import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'
import { aFloatingIp, aGroup, aNetwork, aPort, aRouter, aSubnet } from '../testing/fixtures.ts'

const nouns: [title: string, parameter: string, make: (w: AccessWorld) => Promise<{ id: string }>][] = [
  ['Network', 'network_id', aNetwork], ['Subnet', 'subnet_id', aSubnet], ['Port', 'port_id', aPort], ['Router', 'router_id', aRouter], ['FloatingIp', 'floatingip_id', aFloatingIp], ['SecurityGroup', 'security_group_id', aGroup],
]

export const access: AccessCase[] = nouns.flatMap(([title, parameter, make]): AccessCase[] => {
  const tagged = async (w: AccessWorld): Promise<Record<string, string>> => {
    const params = { [parameter]: (await make(w)).id, tag: 'red' }
    await w.call('member', 'network', `add${title}Tag`, { params })
    return params
  }
  return [
    { operation: `list${title}Tags`, request: async (w) => ({ params: await tagged(w) }), expect: verdicts.reader() },
    { operation: `replace${title}Tags`, request: async (w) => ({ params: await tagged(w), body: { tags: ['blue'] } }), expect: verdicts.member(200) },
    { operation: `delete${title}Tags`, request: async (w) => ({ params: await tagged(w) }), expect: verdicts.member(204) },
    { operation: `check${title}Tag`, request: async (w) => ({ params: await tagged(w) }), expect: verdicts.reader(204) },
    { operation: `add${title}Tag`, request: async (w) => ({ params: { ...await tagged(w), tag: 'blue' } }), expect: verdicts.member(201) },
    { operation: `delete${title}Tag`, request: async (w) => ({ params: await tagged(w) }), expect: verdicts.member(204) },
  ]
})
