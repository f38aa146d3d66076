import { verdicts, type AccessCase } from '#kit/testing/access.ts'
import { aNetwork } from '../testing/fixtures.ts'

export const access: AccessCase[] = [
  { operation: 'listNetworks', expect: verdicts.listing() },
  { operation: 'showNetwork', request: async (w) => ({ params: { network_id: (await aNetwork(w)).id } }), expect: verdicts.reader() },
  { operation: 'showNetwork', about: 'one that is shared', request: async (w) => ({ params: { network_id: (await aNetwork(w, { shared: true }, 'admin')).id } }), expect: verdicts.listing() },
  { operation: 'showNetwork', about: 'one that leads outside', request: async (w) => ({ params: { network_id: (await aNetwork(w, { 'router:external': true }, 'admin')).id } }), expect: verdicts.listing() },
  { operation: 'createNetwork', request: (w) => ({ body: { network: { name: w.unique('net') } } }), expect: verdicts.creating(201) },
  { operation: 'createNetwork', about: 'shared', request: (w) => ({ body: { network: { name: w.unique('net'), shared: true } } }), expect: verdicts.admin(201) },
  { operation: 'createNetwork', about: 'external', request: (w) => ({ body: { network: { 'name': w.unique('net'), 'router:external': true } } }), expect: verdicts.admin(201) },
  { operation: 'createNetwork', about: 'of a stated type', request: (w) => ({ body: { network: { 'name': w.unique('net'), 'provider:network_type': 'vxlan' } } }), expect: verdicts.admin(201) },
  { operation: 'createNetwork', about: 'for another project', request: (w) => ({ body: { network: { name: w.unique('net'), project_id: w.otherProjectId } } }), expect: { nobody: 401, reader: 403, member: 400, manager: 400, admin: 201, other: 201 } },
  { operation: 'updateNetwork', request: async (w) => ({ params: { network_id: (await aNetwork(w)).id }, body: { network: { name: w.unique('net') } } }), expect: verdicts.member(200) },
  { operation: 'updateNetwork', about: 'that is shared', request: async (w) => ({ params: { network_id: (await aNetwork(w, { shared: true }, 'admin')).id }, body: { network: { name: w.unique('net') } } }), expect: verdicts.admin() },
  { operation: 'updateNetwork', about: 'to be shared', request: async (w) => ({ params: { network_id: (await aNetwork(w)).id }, body: { network: { shared: true } } }), expect: { nobody: 401, reader: 403, member: 403, manager: 403, admin: 200, other: 404 } },
  { operation: 'deleteNetwork', request: async (w) => ({ params: { network_id: (await aNetwork(w)).id } }), expect: verdicts.member(204) },
]
