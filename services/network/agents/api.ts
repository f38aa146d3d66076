// https://docs.openstack.org/api-ref/network/v2/#networking-agents and #availability-zones
import { operation, type NetworkConfig } from '../deps.ts'
import { agentNotFound } from '../faults.ts'
import { anyReader, isAdmin } from '../policy.ts'
import { narrowed } from '../resource/narrowed.ts'
import type { AgentRow } from '../schema.ts'
import * as agents from './store.ts'

const wallClock = (at: string): string => at.slice(0, 19).replace('T', ' ')
const alive = (row: AgentRow, config: NetworkConfig): boolean => Date.now() - Date.parse(row.heartbeatAt) < config.agentDownMs

const agentView = (row: AgentRow, config: NetworkConfig): Record<string, unknown> => ({
  id: row.id, agent_type: row.agentType, binary: row.binary, topic: 'network-agent', host: row.host, availability_zone: config.availabilityZone, admin_state_up: true, alive: alive(row, config),
  created_at: wallClock(row.createdAt), started_at: wallClock(row.startedAt), heartbeat_timestamp: wallClock(row.heartbeatAt), description: null,
  configurations: JSON.parse(row.configurations) as object, resources_synced: null,
})

export const listAgents = operation({
  name: 'listAgents', method: 'GET', path: '/agents', summary: 'List the agents of all hosts; nothing for who is no administrator, as neutron answers.', access: anyReader,
  handle: async (ctx, { query }, { store, config }) => ({ agents: !isAdmin(ctx.actor) ? [] : narrowed((await store.read(agents.list)).map((row) => agentView(row, config)), query as Record<string, unknown>) }),
})
export const showAgent = operation({
  name: 'showAgent', method: 'GET', path: '/agents/{agent_id}', summary: 'Show an agent.', access: anyReader,
  faults: ['notFound'],
  async handle(ctx, { params }, { store, config }) {
    const row = !isAdmin(ctx.actor) ? undefined : await store.read((tx) => agents.find(tx, params.agent_id!))
    if (!row) throw agentNotFound(params.agent_id!)
    return { agent: agentView(row, config) }
  },
})
export const listAvailabilityZones = operation({
  name: 'listAvailabilityZones', method: 'GET', path: '/availability_zones', summary: 'List availability zones of networks and routers.', access: anyReader,
  async handle(_ctx, { query }, { store, config }) {
    const state = (await store.read(agents.list)).some((row) => alive(row, config)) ? 'available' : 'unavailable'
    return { availability_zones: narrowed(['network', 'router'].map((resource) => ({ name: config.availabilityZone, resource, state })), query as Record<string, unknown>) }
  },
})
