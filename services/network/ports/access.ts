import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { aNetwork, aPort, aSubnet } from '../testing/fixtures.ts'

const shared = async (w: Parameters<typeof aNetwork>[0]): Promise<{ id: string, network_id: string }> => {
  const network = await aNetwork(w, { shared: true }, 'admin')
  return aSubnet(w, { network_id: network.id }, 'admin')
}
const creating = { nobody: 401, reader: 403, member: 403, manager: 403, admin: 201, other: 403 }
export const access: AccessCase[] = [
  { operation: 'listPorts', expect: verdicts.listing() },
  { operation: 'showPort', request: async (w) => ({ params: { port_id: (await aPort(w)).id } }), expect: verdicts.reader() },
  { operation: 'createPort', request: async (w) => ({ body: { port: { network_id: (await aSubnet(w)).network_id } } }), expect: verdicts.member(201) },
  { operation: 'createPort', about: "on somebody else's shared network", request: async (w) => ({ body: { port: { network_id: (await shared(w)).network_id } } }), expect: verdicts.creating(201) },
  { operation: 'createPort', about: 'choosing its MAC on a shared network', request: async (w) => ({ body: { port: { network_id: (await shared(w)).network_id, mac_address: 'fa:16:3e:00:00:01' } } }), expect: creating },
  { operation: 'createPort', about: 'choosing its address on a shared network', request: async (w) => ({ body: { port: { network_id: (await shared(w)).network_id, fixed_ips: [{ ip_address: '10.1.0.9' }] } } }), expect: creating },
  { operation: 'createPort', about: 'choosing its subnet on a shared network', request: async (w) => { const s = await shared(w); return { body: { port: { network_id: s.network_id, fixed_ips: [{ subnet_id: s.id }] } } } }, expect: verdicts.creating(201) },
  { operation: 'createPort', about: 'without port security on a shared network', request: async (w) => ({ body: { port: { network_id: (await shared(w)).network_id, port_security_enabled: false } } }), expect: creating },
  { operation: 'createPort', about: 'as one of our own on a shared network', request: async (w) => ({ body: { port: { network_id: (await shared(w)).network_id, device_owner: 'network:dhcp' } } }), expect: creating },
  { operation: 'createPort', about: 'bound to a host', request: async (w) => ({ body: { port: { 'network_id': (await aSubnet(w)).network_id, 'binding:host_id': 'host-1' } } }), expect: { nobody: 401, reader: 403, member: 403, manager: 403, admin: 201, other: 404 } },
  { operation: 'updatePort', request: async (w) => ({ params: { port_id: (await aPort(w)).id }, body: { port: { name: 'x' } } }), expect: verdicts.member(200) },
  { operation: 'updatePort', about: 'its MAC', request: async (w) => ({ params: { port_id: (await aPort(w)).id }, body: { port: { mac_address: 'fa:16:3e:00:00:02' } } }), expect: { nobody: 401, reader: 403, member: 403, manager: 403, admin: 200, other: 404 } },
  { operation: 'deletePort', request: async (w) => ({ params: { port_id: (await aPort(w)).id } }), expect: verdicts.member(204) },
]
