// The body of "create server", as every version since 2.1 takes it. https://docs.openstack.org/api-ref/compute/#create-server
import { badRequest, forbidden } from '#base/errors.ts'
import { exact, oneOf, reshaped, since, Type, type Static } from '#kit/http/schema.ts'
import { anything, boolean, description, hints, hostName, ipAddress, metadata, name, tag, uuid, wholeNumber } from '../fields.ts'

const networkEntry = { fixed_ip: Type.Optional(ipAddress), port: Type.Optional(Type.Union([uuid, Type.Null()])), uuid: Type.Optional(Type.String()) }
const networkTag = reshaped({ '2.1': null, '2.32': Type.Optional(tag), '2.37': null, '2.42': Type.Optional(tag) })
const networkList = Type.Array(exact({ ...networkEntry, tag: networkTag }))
const strictList = Type.Array(exact({ ...networkEntry, uuid: Type.Optional(uuid), tag: networkTag }))

const device = {
  virtual_name: Type.Optional(Type.String({ maxLength: 255 })), volume_id: Type.Optional(uuid), snapshot_id: Type.Optional(uuid), volume_size: Type.Optional(wholeNumber(1)),
  device_name: Type.Optional(Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._/-]*$' })), delete_on_termination: Type.Optional(boolean), no_device: Type.Optional(anything),
  connection_info: Type.Optional(Type.String()),
}
const deviceV2 = {
  ...device, source_type: Type.Optional(oneOf('volume', 'image', 'snapshot', 'blank')), uuid: Type.Optional(Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._-]*$' })),
  image_id: Type.Optional(uuid), destination_type: Type.Optional(oneOf('local', 'volume')), guest_format: Type.Optional(Type.String({ maxLength: 255 })), device_type: Type.Optional(Type.String({ maxLength: 255 })),
  disk_bus: Type.Optional(Type.String({ maxLength: 255 })), boot_index: Type.Optional(Type.Unsafe<number | string | null>({ type: ['integer', 'string', 'null'], pattern: '^-?[0-9]+$' })),
  tag: reshaped({ '2.1': null, '2.32': Type.Optional(tag), '2.33': null, '2.42': Type.Optional(tag) }), volume_type: since('2.67', Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()]))),
}

const server = exact({
  name, flavorRef: Type.Unsafe<string | number>({ type: ['string', 'integer'], minLength: 1 }), imageRef: Type.Optional(Type.Union([uuid, Type.Literal('')])),
  adminPass: Type.Optional(Type.String()), metadata: Type.Optional(metadata),
  networks: reshaped({ '2.1': Type.Optional(networkList), '2.37': Type.Union([strictList, oneOf('none', 'auto')]) }),
  'OS-DCF:diskConfig': Type.Optional(oneOf('AUTO', 'MANUAL')), accessIPv4: Type.Optional(Type.String({ format: 'ipv4' })), accessIPv6: Type.Optional(Type.String({ format: 'ipv6' })),
  personality: since('2.1', Type.Optional(Type.Array(exact({ path: Type.Optional(Type.String()), contents: Type.Optional(Type.String()) }))), '2.56'),
  availability_zone: Type.Optional(name), block_device_mapping: Type.Optional(Type.Array(exact(device))), block_device_mapping_v2: Type.Optional(Type.Array(exact(deviceV2))),
  config_drive: Type.Optional(boolean), key_name: Type.Optional(name), min_count: Type.Optional(wholeNumber(1)), max_count: Type.Optional(wholeNumber(1)), return_reservation_id: Type.Optional(boolean),
  security_groups: Type.Optional(Type.Array(exact({ name: Type.Optional(name) }))), user_data: Type.Optional(Type.String({ maxLength: 65_535 })),
  description: since('2.19', Type.Optional(description)), tags: since('2.52', Type.Optional(Type.Array(tag, { maxItems: 50 }))),
  trusted_image_certificates: since('2.63', Type.Optional(Type.Union([Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 50, uniqueItems: true }), Type.Null()]))),
  host: since('2.74', Type.Optional(hostName)), hypervisor_hostname: since('2.74', Type.Optional(hostName)),
  hostname: reshaped({ '2.1': null, '2.90': Type.Optional(Type.String({ minLength: 2, maxLength: 63, pattern: '^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$' })), '2.94': Type.Optional(hostName) }),
})
export const createBody = exact({ server, 'os:scheduler_hints': Type.Optional(hints), 'OS-SCH-HNT:scheduler_hints': Type.Optional(hints) })
export type ServerRequest = Static<typeof server>
type Device = Static<ReturnType<typeof exact<typeof deviceV2>>>

/** Base64 as nova takes it: the canonical alphabet, padded; line breaks are passed over. */
export function checkBase64(what: string, text: string): void {
  const plain = text.replace(/[\r\n]/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain) || plain.length % 4 !== 0) throw badRequest(`${what} is not valid base64.`)
}

/** The image to boot from. Disks other than the image's copy on the host's own storage need the block storage service. */
export function bootImage(s: ServerRequest): string {
  const legacy = s.block_device_mapping ?? [], devices: Device[] = s.block_device_mapping_v2 ?? []
  if (legacy.length > 0 && devices.length > 0) throw badRequest('Using different block_device_mapping syntaxes is not allowed in the same request.')
  const noVolumes = (): Error => badRequest('Block Device Mapping is Invalid: this cloud has no block storage service, servers boot from an image on their host\'s own disk.')
  if (legacy.length > 0) throw noVolumes()
  for (const d of devices) {
    if (d.no_device !== undefined && d.no_device !== null && d.no_device !== false) continue
    if (d.source_type === 'image' && (d.destination_type ?? 'local') === 'local') {
      if (!s.imageRef) throw badRequest('Block Device Mapping is Invalid: Mapping image to local is not supported.')
      if ((d.uuid ?? d.image_id) !== s.imageRef) throw badRequest('Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping combination is not valid.')
    } else {
      throw noVolumes()
    }
  }
  if (!s.imageRef) throw badRequest('Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping combination is not valid.')
  return s.imageRef
}

/** `zone`, or for administrators `zone:host`, `zone:host:node`, `zone::node`. */
export function parseZone(text: string | undefined): { zone?: string, host?: string, node?: string } {
  if (text === undefined) return {}
  const parts = text.split(':')
  if (parts.length > 3) throw badRequest('Unable to parse availability_zone')
  const [zone, host, node] = parts
  return { ...(zone && { zone }), ...(host && { host }), ...(node && { node }) }
}

/** Files a user wants in the guest: gone since 2.57, bounded by quota before. */
export function checkPersonality(files: { path?: string, contents?: string }[], limits: { injected_files: number, injected_file_path_bytes: number, injected_file_content_bytes: number }): { path: string, contents: string }[] {
  const over = (size: number, limit: number): boolean => limit >= 0 && size > limit
  if (over(files.length, limits.injected_files)) throw forbidden('Quota exceeded, too many files to inject')
  return files.map(({ path, contents }) => {
    if (path === undefined || contents === undefined) throw badRequest('Bad personality format: path and contents are required')
    checkBase64(`Personality content for ${path.slice(0, 60)}`, contents)
    if (over(Buffer.byteLength(path), limits.injected_file_path_bytes)) throw forbidden('Personality file path exceeds maximum length')
    if (over(Buffer.byteLength(contents, 'base64'), limits.injected_file_content_bytes)) throw forbidden('Personality file content exceeds maximum size')
    return { path, contents }
  })
}

/** What a name becomes as a host name; empty when nothing of it can stand in one. */
export const hostnameOf = (name: string): string => name.toLowerCase().replace(/[ _.]/g, '-').replace(/[^a-z0-9-]/g, '').replace(/^-+/, '').slice(0, 63).replace(/-+$/, '')
