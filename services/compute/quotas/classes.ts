// The default quotas, under nova's name of "quota class". https://docs.openstack.org/api-ref/compute/#quota-class-sets-os-quota-class-sets
import { notFound } from '#base/errors.ts'
import { exact } from '#kit/http/schema.ts'
import type { Version } from '#kit/http/operation.ts'
import { operation } from '../deps.ts'
import { asNumber } from '../fields.ts'
import { shownAt, limitFields } from './fields.ts'
import * as policy from './policy.ts'
import * as quotas from './store.ts'

/** The network's went in 2.50 here, and server groups came; injected files went in 2.57. */
const shown = (limits: quotas.Limits, version: Version): object => Object.fromEntries(quotas.resources
  .filter((r) => (version.since('2.50') ? shownAt(version).includes(r) : !r.startsWith('server_group'))).map((r) => [r, limits[r]]))
const onlyDefault = (name: string): void => { if (name !== 'default') throw notFound(`Quota class ${name} could not be found.`) }

export const showQuotaClass = operation({
  name: 'showQuotaClass', method: 'GET', path: '/os-quota-class-sets/{class_id}', summary: 'Show the default quotas.', access: policy.change,
  faults: ['notFound'],
  async handle(_ctx, { params, version }, { store }) {
    // As nova: a class nobody has set has the default limits (the openstack client asks for "None").
    return { quota_class_set: { id: params.class_id, ...shown(await store.read((tx) => quotas.defaults(tx)), version) } }
  },
})

export const updateQuotaClass = operation({
  name: 'updateQuotaClass', method: 'PUT', path: '/os-quota-class-sets/{class_id}', summary: 'Set the default quotas.', access: policy.change, body: exact({ quota_class_set: exact(limitFields) }),
  faults: ['notFound'],
  async handle(_ctx, { params, body, version }, { store }) {
    onlyDefault(params.class_id!)
    const limits = Object.fromEntries(Object.entries(body.quota_class_set).map(([resource, value]) => [resource, asNumber(resource, value!, -1)])) as Partial<quotas.Limits>
    return { quota_class_set: shown(await store.tx(async (tx) => { await quotas.setDefaults(tx, limits); return quotas.defaults(tx) }), version) }
  },
})
