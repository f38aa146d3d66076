// https://docs.openstack.org/api-ref/compute/#flavors
import type { Urls, Version } from '#kit/http/operation.ts'
import { linksOf } from '../links.ts'
import type { Flavor } from './store.ts'

export function flavorBrief(version: Version, urls: Urls): (f: Flavor) => object {
  const links = linksOf(urls, 'flavors'), described = version.since('2.55')
  return (f) => ({ id: f.id, name: f.name, links: links(f.id), ...(described && { description: f.description }) })
}

export function flavorView(version: Version, urls: Urls, showSpecs: boolean): (f: Flavor) => object {
  const links = linksOf(urls, 'flavors'), described = version.since('2.55'), specs = showSpecs && version.since('2.61'), noSwap = version.since('2.75') ? 0 : ''
  return (f) => ({
    id: f.id, name: f.name, ram: f.memoryMib, disk: f.diskGib, swap: f.swapMib || noSwap, 'OS-FLV-EXT-DATA:ephemeral': f.ephemeralGib, 'OS-FLV-DISABLED:disabled': f.disabled === 1,
    vcpus: f.vcpus, 'os-flavor-access:is_public': f.isPublic === 1, rxtx_factor: f.rxtxFactor, links: links(f.id),
    ...(described && { description: f.description }), ...(specs && { extra_specs: f.extraSpecs }),
  })
}
