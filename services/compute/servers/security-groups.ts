// Security groups of all of a server's cards at once. https://docs.openstack.org/api-ref/compute/#list-security-groups-by-server
import { badRequest, conflict, notFound } from '#base/errors.ts'
import type { Context } from '#base/context.ts'
import { exact, lenient, Type } from '#kit/http/schema.ts'
import { operation, type Deps } from '../deps.ts'
import { describePorts, type DescribedPort } from './networks.ts'
import * as policy from './policy.ts'
import type { Server } from './store.ts'
import { target } from './target.ts'

interface Rule { id: string, direction: string, protocol: string | null, port_range_min: number | null, port_range_max: number | null, remote_ip_prefix: string | null, remote_group_id: string | null, ethertype: string }
interface Group { id: string, name: string, description: string, project_id: string, security_group_rules: Rule[] }

/** nova's older form of a rule: incoming ones only. */
const ruleView = (groupId: string, tenantId: string) => (r: Rule): object => ({
  id: r.id, parent_group_id: groupId, ip_protocol: r.protocol, from_port: r.port_range_min ?? (r.protocol === null ? null : -1), to_port: r.port_range_max ?? (r.protocol === null ? null : -1),
  group: r.remote_group_id === null ? {} : { name: r.remote_group_id, tenant_id: tenantId },
  ip_range: r.remote_group_id !== null ? {} : { cidr: r.remote_ip_prefix ?? (r.ethertype === 'IPv6' ? '::/0' : '0.0.0.0/0') },
})

const groupView = (g: Group): object =>
  ({ id: g.id, name: g.name, description: g.description, tenant_id: g.project_id, rules: g.security_group_rules.filter((r) => r.direction === 'ingress').map(ruleView(g.id, g.project_id)) })

export const listServerSecurityGroups = operation({
  name: 'listServerSecurityGroups', method: 'GET', path: '/servers/{server_id}/os-security-groups', summary: 'List the security groups of a server\'s ports.', access: policy.show, target,
  async handle(ctx, { target }, { network }) {
    const ports = (await describePorts(ctx, network, [target.id])).get(target.id) ?? []
    const ids = [...new Set(ports.flatMap((p) => p.security_groups.map((g) => g.id)))]
    if (ids.length === 0) return { security_groups: [] }
    const { body } = await network.call<{ security_groups: Group[] }>(ctx, 'listSecurityGroups', { query: { id: ids } })
    return { security_groups: body.security_groups.map(groupView) }
  },
})

// Before 2.36 nova also answered for groups themselves; openstackclient still looks a group up here before it adds it to a server.

export const listSecurityGroups = operation({
  name: 'listSecurityGroups', method: 'GET', path: '/os-security-groups', summary: 'List the project\'s security groups, as the network service has them.', access: policy.list, until: '2.35',
  query: lenient({ name: Type.Optional(Type.String()) }),
  async handle(ctx, { query }, { network }) {
    const { body } = await network.call<{ security_groups: Group[] }>(ctx, 'listSecurityGroups', { query: { project_id: [ctx.actor.projectId], ...(query.name !== undefined && { name: [query.name] }) } })
    return { security_groups: body.security_groups.map(groupView) }
  },
})

export const showSecurityGroup = operation({
  name: 'showSecurityGroup', method: 'GET', path: '/os-security-groups/{security_group_id}', summary: 'Show a security group, as the network service has it.', access: policy.list, until: '2.35',
  faults: ['notFound'],
  async handle(ctx, { params }, { network }) {
    const id = params.security_group_id!
    const { body } = await network.call<{ security_groups: Group[] }>(ctx, 'listSecurityGroups', { query: { id: [id] } })
    if (!body.security_groups[0]) throw notFound(`Security group ${id.slice(0, 60)} not found.`)
    return { security_group: groupView(body.security_groups[0]) }
  },
})

/** Finds the group among the caller's and has each port carry what `groupsOf` says. */
async function regroup(ctx: Context, server: Server, name: string, groupsOf: (port: DescribedPort, id: string) => string[] | undefined, { network }: Deps): Promise<boolean> {
  const { body } = await network.call<{ security_groups: Group[] }>(ctx, 'listSecurityGroups', { query: { project_id: [server.projectId] } })
  const found = body.security_groups.filter((g) => g.id === name || g.name === name)
  if (found.length === 0) throw notFound(`Security group ${name.slice(0, 60)} not found.`)
  const group = found.find((g) => g.id === name) ?? found[0]!
  if (found.length > 1 && group.id !== name) throw conflict(`Multiple security groups found matching '${name.slice(0, 60)}'. Use an ID to be more specific.`)
  const ports = (await describePorts(ctx, network, [server.id])).get(server.id) ?? []
  if (ports.length === 0) throw badRequest(`instance ${server.id} has no ports on which to change security groups`)
  let changed = false
  for (const port of ports) {
    const groups = groupsOf(port, group.id)
    if (!groups) continue
    await network.call(ctx, 'updatePort', { params: { port_id: port.id }, body: { port: { security_groups: groups } } })
    changed = true
  }
  return changed
}

const body = exact({ name: Type.String({ minLength: 1, maxLength: 255 }) })
const path = '/servers/{server_id}/action'

export const addSecurityGroup = operation({
  name: 'addServerSecurityGroup', method: 'POST', path, action: 'addSecurityGroup', summary: 'Add a security group to all of a server\'s ports.', access: policy.change, target, status: 202, body,
  faults: ['conflict'],
  async handle(ctx, { target, body }, deps) {
    await regroup(ctx, target, body.name, (port, id) => {
      const now = port.security_groups.map((g) => g.id)
      return now.includes(id) ? undefined : [...now, id]
    }, deps)
  },
})

export const removeSecurityGroup = operation({
  name: 'removeServerSecurityGroup', method: 'POST', path, action: 'removeSecurityGroup', summary: 'Take a security group away from all of a server\'s ports.', access: policy.change, target, status: 202, body,
  faults: ['conflict'],
  async handle(ctx, { target, body }, deps) {
    const changed = await regroup(ctx, target, body.name, (port, id) => {
      const now = port.security_groups.map((g) => g.id)
      return now.includes(id) ? now.filter((g) => g !== id) : undefined
    }, deps)
    if (!changed) throw notFound(`Security group ${body.name.slice(0, 60)} not associated with the instance ${target.id}`)
  },
})
