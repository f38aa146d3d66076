// What gophercloud and the Terraform provider over it ask of a cloud from finding it to having made and removed a server. There is no Go here:
// the order and shapes are known from their sources (openstack/client.go, utils/choose_version.go, the provider's compute_instance_v2 resource).
import { waitFor } from '#base/retry.ts'

export async function gophercloud(url: string, password: string): Promise<void> {
  let token: string | undefined
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<{ status: number, body: any, headers: Headers }> => {
    const reply = await fetch(path.startsWith('http') ? path : url + path, {
      method, headers: { 'user-agent': 'gophercloud/2.0.0', 'accept': 'application/json', ...(token !== undefined && { 'x-auth-token': token }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await reply.text()
    return { status: reply.status, body: text === '' ? undefined : JSON.parse(text), headers: reply.headers }
  }
  // The version is chosen from the unversioned document, whose answer may be 300.
  const versions = await ask('GET', '/identity/')
  const v3 = (versions.body.versions.values as { id: string, status: string, links: { rel: string, href: string }[] }[]).find((v) => v.id.startsWith('v3'))!
  const identity = v3.links.find((l) => l.rel === 'self')!.href.replace(/\/$/, '')
  const issued = await ask('POST', `${identity}/auth/tokens`, { auth: { identity: { methods: ['password'], password: { user: { domain: { name: 'Default' }, name: 'demo', password } } }, scope: { project: { domain: { name: 'Default' }, name: 'demo' } } } })
  token = issued.headers.get('x-subject-token')!
  const endpoint = (type: string): string => {
    const service = issued.body.token.catalog.find((s: any) => s.type === type)
    return service.endpoints.find((e: any) => e.interface === 'public' && e.region_id === 'RegionOne').url
  }
  // Network and image endpoints get their version appended, compute's stands in the catalogue.
  const compute = endpoint('compute'), network = `${endpoint('network')}/v2.0`, image = `${endpoint('image')}/v2`

  const { body: { images } } = await ask('GET', `${image}/images?name=pileus-guest&sort=name%3Aasc`)
  await ask('GET', `${image}/images/${images[0].id}`)
  const { body: { flavors } } = await ask('GET', `${compute}/flavors/detail?is_public=true`)
  const flavor = flavors.find((f: any) => f.name === 'm1.tiny')
  await ask('GET', `${compute}/flavors/${flavor.id}`)
  await ask('GET', `${compute}/flavors/${flavor.id}/os-extra_specs`)
  const { body: { networks } } = await ask('GET', `${network}/networks?name=private`)
  await ask('GET', `${network}/networks/${networks[0].id}`)
  await ask('GET', `${network}/extensions`)
  await ask('POST', `${compute}/os-keypairs`, { keypair: { name: 'tf' } })
  await ask('GET', `${compute}/os-keypairs/tf`)
  const group = (await ask('POST', `${network}/security-groups`, { security_group: { name: 'tf' } })).body.security_group
  await ask('POST', `${network}/security-group-rules`, { security_group_rule: { direction: 'ingress', ethertype: 'IPv4', port_range_max: 22, port_range_min: 22, protocol: 'tcp', remote_ip_prefix: '0.0.0.0/0', security_group_id: group.id } })
  await ask('GET', `${network}/security-groups/${group.id}`)

  const made = (await ask('POST', `${compute}/servers`, { server: {
    name: 'tf', imageRef: images[0].id, flavorRef: flavor.id, key_name: 'tf', networks: [{ uuid: networks[0].id }], security_groups: [{ name: 'tf' }], config_drive: false, metadata: { made_by: 'terraform' }, user_data: 'IyEvYmluL3NoCg==',
  } })).body.server
  await waitFor('the server to be ACTIVE', async () => ((await ask('GET', `${compute}/servers/${made.id}`)).body.server.status === 'ACTIVE' ? true : undefined), 20_000, 20)
  await ask('GET', `${compute}/servers/${made.id}/os-interface`)
  await ask('GET', `${compute}/servers/${made.id}/os-security-groups`)
  await ask('GET', `${compute}/servers/${made.id}/metadata`)
  await ask('GET', `${compute}/servers/${made.id}/os-volume_attachments`)
  await ask('GET', `${compute}/servers/${made.id}/tags`, undefined, { 'x-openstack-nova-api-version': '2.52', 'openstack-api-version': 'compute 2.52' })
  const { body: { ports } } = await ask('GET', `${network}/ports?device_id=${made.id}`)
  const external = (await ask('GET', `${network}/networks?router%3Aexternal=true`)).body.networks[0]
  const floating = (await ask('POST', `${network}/floatingips`, { floatingip: { floating_network_id: external.id, port_id: ports[0].id } })).body.floatingip
  await ask('GET', `${network}/floatingips/${floating.id}`)
  await ask('PUT', `${network}/floatingips/${floating.id}`, { floatingip: { port_id: null } })
  await ask('DELETE', `${network}/floatingips/${floating.id}`)
  await ask('DELETE', `${compute}/servers/${made.id}`)
  await waitFor('the server to be gone', async () => ((await ask('GET', `${compute}/servers/${made.id}`)).status === 404 ? true : undefined), 20_000, 20)
  await ask('DELETE', `${network}/security-groups/${group.id}`)
  await ask('DELETE', `${compute}/os-keypairs/tf`)
}
