import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { aFloatingIp, anExternalNetwork } from '../testing/fixtures.ts'

export const access: AccessCase[] = [
  { operation: 'listFloatingIps', expect: verdicts.listing() },
  { operation: 'showFloatingIp', request: async (w) => ({ params: { floatingip_id: (await aFloatingIp(w)).id } }), expect: verdicts.reader() },
  { operation: 'createFloatingIp', request: async (w) => ({ body: { floatingip: { floating_network_id: (await anExternalNetwork(w)).id } } }), expect: verdicts.creating(201) },
  { operation: 'createFloatingIp', about: 'choosing its address', request: async (w) => ({ body: { floatingip: { floating_network_id: (await anExternalNetwork(w)).id, floating_ip_address: '172.24.1.1' } } }), expect: verdicts.admin(201) },
  { operation: 'updateFloatingIp', request: async (w) => ({ params: { floatingip_id: (await aFloatingIp(w)).id }, body: { floatingip: { port_id: null } } }), expect: verdicts.member(200) },
  { operation: 'deleteFloatingIp', request: async (w) => ({ params: { floatingip_id: (await aFloatingIp(w)).id } }), expect: verdicts.member(204) },
]
