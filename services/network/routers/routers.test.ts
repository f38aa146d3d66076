// Routers and floating IPs: what leads where.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#base/ids.ts'
import { callerOf } from '../testing/caller.ts'
import { startNetwork, type TestNetwork } from '../testing/start.ts'

let api: TestNetwork
before(async () => { api = await startNetwork() })
after(() => api.close())
const me = callerOf(() => api)
const aRouter = (values: object = {}, as?: string): Promise<any> => me.make('createRouter', 'router', { name: 'r', ...values }, as)
const join = (routerId: string, body: object): Promise<any> => me.ok('addRouterInterface', { params: { router_id: routerId }, body })

test('a router with a way out', async () => {
  const { networkId, subnetId } = await me.external()
  const router = await aRouter({ external_gateway_info: { network_id: networkId } })
  assert.deepEqual(router.external_gateway_info, { network_id: networkId, external_fixed_ips: [{ subnet_id: subnetId, ip_address: '172.24.4.2' }], enable_snat: true })
  assert.deepEqual([router.status, router.routes, router.tags], ['ACTIVE', [], []])
  const [port] = (await me.ok('listPorts', { query: { device_id: router.id } }, 'admin')).ports
  assert.deepEqual([port.device_owner, port.project_id, port['binding:host_id']], ['network:router_gateway', '', 'net-1'])
  const params = { router_id: router.id }
  const moved = await me.ok('updateRouter', { params, body: { router: { external_gateway_info: { network_id: networkId, enable_snat: false, external_fixed_ips: [{ subnet_id: subnetId, ip_address: '172.24.4.99' }] } } } }, 'admin')
  assert.deepEqual(moved.router.external_gateway_info, { network_id: networkId, external_fixed_ips: [{ subnet_id: subnetId, ip_address: '172.24.4.99' }], enable_snat: false })
  assert.equal((await me.ok('updateRouter', { params, body: { router: { external_gateway_info: {} } } })).router.external_gateway_info, null)
  assert.deepEqual((await me.ok('listPorts', { query: { device_id: router.id } }, 'admin')).ports, [])
  await me.refused('400 BadRequest', 'updateRouter', { params, body: { router: { external_gateway_info: { network_id: (await me.network()).id } } } })
  await me.refused('404 NetworkNotFound', 'updateRouter', { params, body: { router: { external_gateway_info: { network_id: newId() } } } })
})

test('nobody makes a card of his own a router\'s of somebody else, by saying so', async () => {
  const router = await aRouter(), own = await me.subnet({ cidr: '10.9.0.0/24' }, 'other'), stolen = { device_id: router.id }
  for (const device_owner of ['network:router_interface', 'network:router_gateway']) {
    await me.refused('409 DeviceIDNotOwnedByTenant', 'createPort', { body: { port: { network_id: own.network_id, device_owner, ...stolen } } }, 'other')
    const port = await me.port(own.network_id, { device_owner }, 'other')
    await me.refused('409 DeviceIDNotOwnedByTenant', 'updatePort', { params: { port_id: port.id }, body: { port: stolen } }, 'other')
    const later = await me.port(own.network_id, stolen, 'other')
    await me.refused('409 DeviceIDNotOwnedByTenant', 'updatePort', { params: { port_id: later.id }, body: { port: { device_owner } } }, 'other')
  }
  // One that serves a router of his is no other's either.
  const his = await aRouter({}, 'other'), joined = await me.ok('addRouterInterface', { params: { router_id: his.id }, body: { subnet_id: own.id } }, 'other')
  for (const port of [stolen, { device_owner: '' }, { device_id: '' }]) await me.refused('409 PortInUse', 'updatePort', { params: { port_id: joined.port_id }, body: { port } }, 'other')
  await me.ok('updatePort', { params: { port_id: joined.port_id }, body: { port: { name: 'x', device_id: his.id, device_owner: 'network:router_interface' } } }, 'other')
  assert.equal((await me.ok('showRouter', { params: { router_id: router.id } })).router.external_gateway_info, null)
  await me.ok('deleteRouter', { params: { router_id: router.id } })
})

test('joining subnets: by subnet, by port; overlaps, strangers and used ports are refused', async () => {
  const subnet = await me.subnet(), router = await aRouter(), params = { router_id: router.id }
  const answer = await join(router.id, { subnet_id: subnet.id })
  assert.deepEqual(Object.keys(answer).sort(), ['id', 'network_id', 'port_id', 'project_id', 'subnet_id', 'subnet_ids', 'tenant_id'])
  assert.deepEqual([answer.id, answer.subnet_ids], [router.id, [subnet.id]])
  const port = (await me.ok('showPort', { params: { port_id: answer.port_id } })).port
  assert.deepEqual([port.device_owner, port.device_id, port.fixed_ips[0].ip_address, port.security_groups], ['network:router_interface', router.id, '10.1.0.1', []])

  const no = (expected: string, body: object, as?: string): Promise<void> => me.refused(expected, 'addRouterInterface', { params, body }, as)
  await no('400 BadRequest', { subnet_id: subnet.id })
  await no('400 BadRequest', { subnet_id: (await me.subnet({ cidr: '10.1.0.128/25' })).id })
  await no('400 BadRequest', { subnet_id: (await me.subnet({ cidr: '10.7.0.0/24', gateway_ip: null })).id })
  await no('404 SubnetNotFound', { subnet_id: newId() })
  await no('404 SubnetNotFound', { subnet_id: (await me.subnet({}, 'other')).id })
  await no('404 PortNotFound', { port_id: newId() })
  await no('409 PortInUse', { port_id: answer.port_id })
  await no('400 HTTPBadRequest', {})
  await no('400 BadRequest', { subnet_id: subnet.id, port_id: answer.port_id })
  const bare = await me.port((await me.network()).id)
  await no('400 BadRequest', { port_id: bare.id })

  const second = await me.subnet({ cidr: '10.2.0.0/24' }), own = await me.port(second.network_id, { fixed_ips: [{ ip_address: '10.2.0.9' }] })
  assert.equal((await join(router.id, { port_id: own.id })).port_id, own.id)
  await me.refused('409 RouterInUse', 'deleteRouter', { params })

  await me.refused('404 RouterInterfaceNotFoundForSubnet', 'removeRouterInterface', { params, body: { subnet_id: newId() } })
  await me.refused('404 RouterInterfaceNotFound', 'removeRouterInterface', { params, body: { port_id: newId() } })
  await me.refused('400 SubnetMismatchForPort', 'removeRouterInterface', { params, body: { port_id: own.id, subnet_id: subnet.id } })
  await me.ok('removeRouterInterface', { params, body: { port_id: own.id } })
  await me.ok('removeRouterInterface', { params, body: { subnet_id: subnet.id } })
  await me.refused('404 PortNotFound', 'showPort', { params: { port_id: own.id } })
  await me.ok('deleteRouter', { params })
})

test('a router and a gateway address are not joined twice, however many try', async () => {
  const subnet = await me.subnet(), routers = await Promise.all(Array.from({ length: 6 }, () => aRouter()))
  const replies = await Promise.all(routers.map((r) => api.call<any>('member', 'network', 'addRouterInterface', { params: { router_id: r.id }, body: { subnet_id: subnet.id } })))
  assert.deepEqual(replies.map((r) => `${r.status} ${r.body.NeutronError?.type ?? ''}`).sort(), ['200 ', ...Array.from({ length: 5 }, () => '409 IpAddressInUse')])
})

test('routes: next hops on the router\'s own subnets, and an interface they need stays', async () => {
  const subnet = await me.subnet(), router = await aRouter(), params = { router_id: router.id }
  await join(router.id, { subnet_id: subnet.id })
  const routes = [{ destination: '10.99.0.0/16', nexthop: '10.1.0.9' }]
  assert.deepEqual((await me.ok('updateRouter', { params, body: { router: { routes } } })).router.routes, routes)
  await me.refused('409 RouterInterfaceInUseByRoute', 'removeRouterInterface', { params, body: { subnet_id: subnet.id } })
  await me.refused('400 InvalidRoutes', 'updateRouter', { params, body: { router: { routes: [{ destination: '10.99.0.0/16', nexthop: '10.50.0.9' }] } } })
  await me.refused('400 InvalidRoutes', 'updateRouter', { params, body: { router: { routes: [{ destination: '10.99.0.0/16', nexthop: '10.1.0.1' }] } } })
  await me.ok('updateRouter', { params, body: { router: { routes: null } } })
  await me.ok('removeRouterInterface', { params, body: { subnet_id: subnet.id } })
})

test('floating IPs: allocated, bound where a router leads, let go with the port', async () => {
  const { networkId } = await me.external('172.30.0.0/24')
  const subnet = await me.subnet(), port = await me.port(subnet.network_id, { name: 'web' })
  const create = (values: object, as?: string): Promise<any> => me.make('createFloatingIp', 'floatingip', { floating_network_id: networkId, ...values }, as)
  const floating = await create({}), params = { floatingip_id: floating.id }
  assert.deepEqual([floating.status, floating.port_id, floating.fixed_ip_address, floating.router_id, floating.port_details], ['DOWN', null, null, null, null])
  const update = (values: object): object => ({ params, body: { floatingip: values } })
  await me.refused('404 ExternalGatewayForFloatingIPNotFound', 'updateFloatingIp', update({ port_id: port.id }))

  const router = await aRouter({ external_gateway_info: { network_id: networkId } })
  await join(router.id, { subnet_id: subnet.id })
  const bound = (await me.ok('updateFloatingIp', update({ port_id: port.id }))).floatingip
  assert.deepEqual([bound.port_id, bound.fixed_ip_address, bound.router_id, bound.port_details.name], [port.id, port.fixed_ips[0].ip_address, router.id, 'web'])
  const second = await create({})
  await me.refused('409 FloatingIPPortAlreadyAssociated', 'updateFloatingIp', { params: { floatingip_id: second.id }, body: { floatingip: { port_id: port.id } } })
  await me.refused('400 BadRequest', 'updateFloatingIp', { params: { floatingip_id: second.id }, body: { floatingip: { port_id: port.id, fixed_ip_address: '10.1.0.200' } } })
  await me.refused('404 PortNotFound', 'updateFloatingIp', { params: { floatingip_id: second.id }, body: { floatingip: { port_id: newId() } } })
  await me.refused('400 BadRequest', 'updateFloatingIp', { params: { floatingip_id: second.id }, body: { floatingip: { fixed_ip_address: '10.1.0.200' } } })
  await me.refused('404 PortNotFound', 'updateFloatingIp', { params: { floatingip_id: second.id }, body: { floatingip: { port_id: (await me.port((await me.subnet({}, 'other')).network_id, {}, 'other')).id } } })

  await me.refused('409 RouterExternalGatewayInUseByFloatingIp', 'updateRouter', { params: { router_id: router.id }, body: { router: { external_gateway_info: null } } })
  await me.refused('409 RouterInterfaceInUseByFloatingIP', 'removeRouterInterface', { params: { router_id: router.id }, body: { subnet_id: subnet.id } })
  const listed = await me.ok('listFloatingIps', { query: { port_id: port.id } })
  assert.deepEqual(listed.floatingips.map((f: any) => f.id), [floating.id])

  await me.ok('updateFloatingIp', update({ description: 'kept' }))
  assert.equal((await me.ok('showFloatingIp', { params })).floatingip.port_id, port.id)
  const freed = (await me.ok('updateFloatingIp', update({}))).floatingip
  assert.deepEqual([freed.port_id, freed.router_id, freed.description], [null, null, 'kept'], 'who says nothing takes it away')
  await me.ok('updateFloatingIp', update({ port_id: port.id }))

  await me.ok('deletePort', { params: { port_id: port.id } })
  const loose = (await me.ok('showFloatingIp', { params })).floatingip
  assert.deepEqual([loose.port_id, loose.fixed_ip_address, loose.router_id, loose.status], [null, null, null, 'DOWN'])
  await me.ok('deleteFloatingIp', { params })
  assert.equal((await create({ floating_ip_address: floating.floating_ip_address }, 'admin')).floating_ip_address, floating.floating_ip_address)
})

test('a network goes with the floating IPs that lead nowhere, and stays for those that lead somewhere', async () => {
  const { networkId } = await me.external('172.28.0.0/24'), subnet = await me.subnet(), router = await aRouter({ external_gateway_info: { network_id: networkId } })
  await join(router.id, { subnet_id: subnet.id })
  const loose = await me.make('createFloatingIp', 'floatingip', { floating_network_id: networkId }), params = { network_id: networkId }
  await me.refused('409 NetworkInUse', 'deleteNetwork', { params }, 'admin')
  assert.equal((await me.ok('listFloatingIps', { query: { id: loose.id } })).floatingips.length, 1, 'a refused deletion leaves everything')
  await me.ok('updateRouter', { params: { router_id: router.id }, body: { router: { external_gateway_info: {} } } })
  await me.ok('deleteNetwork', { params }, 'admin')
  assert.deepEqual((await me.ok('listFloatingIps', { query: { id: loose.id } })).floatingips, [])
})

test('a floating IP needs an external network with an IPv4 address to give, and a port with one address or a choice', async () => {
  await me.refused('400 BadRequest', 'createFloatingIp', { body: { floatingip: { floating_network_id: (await me.network()).id } } })
  const empty = await me.network({ 'router:external': true }, 'admin')
  await me.refused('400 ExternalIpAddressExhausted', 'createFloatingIp', { body: { floatingip: { floating_network_id: empty.id } } })
  const { networkId } = await me.external('172.31.0.0/30')
  await me.make('createFloatingIp', 'floatingip', { floating_network_id: networkId })
  await me.refused('409 IpAddressGenerationFailure', 'createFloatingIp', { body: { floatingip: { floating_network_id: networkId } } })

  const wide = await me.external('172.29.0.0/24'), subnet = await me.subnet(), router = await aRouter({ external_gateway_info: { network_id: wide.networkId } })
  await join(router.id, { subnet_id: subnet.id })
  const port = await me.port(subnet.network_id, { fixed_ips: [{ ip_address: '10.1.0.10' }, { ip_address: '10.1.0.11' }] })
  const body = (values: object): object => ({ body: { floatingip: { floating_network_id: wide.networkId, port_id: port.id, ...values } } })
  await me.refused('400 BadRequest', 'createFloatingIp', body({}))
  const { floatingip } = await me.ok('createFloatingIp', body({ fixed_ip_address: '10.1.0.11' }))
  assert.equal(floatingip.fixed_ip_address, '10.1.0.11')
  await me.ok('updatePort', { params: { port_id: port.id }, body: { port: { fixed_ips: [{ ip_address: '10.1.0.10' }] } } })
  assert.equal((await me.ok('showFloatingIp', { params: { floatingip_id: floatingip.id } })).floatingip.port_id, null)
})
