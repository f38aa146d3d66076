import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { aNetwork, aSubnet } from '../testing/fixtures.ts'

const body = (networkId: string): object => ({ subnet: { network_id: networkId, ip_version: 4, cidr: '10.1.0.0/24' } })
export const access: AccessCase[] = [
  { operation: 'listSubnets', expect: verdicts.listing() },
  { operation: 'showSubnet', request: async (w) => ({ params: { subnet_id: (await aSubnet(w)).id } }), expect: verdicts.reader() },
  { operation: 'createSubnet', request: async (w) => ({ body: body((await aNetwork(w)).id) }), expect: verdicts.member(201) },
  { operation: 'createSubnet', about: "on somebody else's shared network", request: async (w) => ({ body: body((await aNetwork(w, { shared: true }, 'admin')).id) }), expect: { nobody: 401, reader: 403, member: 404, manager: 404, admin: 201, other: 404 } },
  { operation: 'updateSubnet', request: async (w) => ({ params: { subnet_id: (await aSubnet(w)).id }, body: { subnet: { name: 'x' } } }), expect: verdicts.member(200) },
  { operation: 'deleteSubnet', request: async (w) => ({ params: { subnet_id: (await aSubnet(w)).id } }), expect: verdicts.member(204) },
]
