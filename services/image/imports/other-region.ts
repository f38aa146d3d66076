// `glance-download`: an image of another region's image service. Its address comes from the catalogue, which only administrators write; the caller's token goes
// there and nowhere else.
import { buffer } from 'node:stream/consumers'
import type { Context } from '#base/context.ts'
import { badRequest, conflict, isFault } from '#base/errors.ts'
import { isUuid } from '#base/ids.ts'
import { MIB } from '#base/units.ts'
import { checkUrl, fetchOutgoing } from '#kit/http/outgoing.ts'
import type { Deps } from '../deps.ts'
import { boundsOf, checkBounds, containerFormats, diskFormats, isProperty, setField } from '../images/fields.ts'
import type { Image } from '../images/store.ts'

/** The image there; or why it cannot be asked for, which the import ends with. */
export type OtherImage = { url: string } | { problem: string }
/** What the other region says of it. */
export interface OtherFacts { size: number, diskFormat: string, containerFormat: string, properties: Record<string, string>, md5: string | null, sha512: string | null }
interface Asked { glance_region?: string, glance_image_id?: string, glance_service_interface?: string }

/** Where the image is that is asked for. Throws badRequest for what is no image; that there is no such region, as glance has it, is the import's failure. */
export async function otherImage(ctx: Context, { catalog, config }: Pick<Deps, 'catalog' | 'config'>, asked: Asked): Promise<OtherImage> {
  const { glance_region: region, glance_image_id: id, glance_service_interface: from = 'public' } = asked
  if (region === undefined) throw badRequest("'glance_region' needs to be set for glance-download import method")
  if (id === undefined) throw badRequest("'glance_image_id' needs to be set for glance-download import method")
  if (!isUuid(id)) throw badRequest(`Remote image id does not look like a UUID: ${id}`)
  const endpoints = (await catalog?.(ctx) ?? []).filter((service) => service.type === 'image').flatMap((service) => service.endpoints)
  const found = endpoints.find((endpoint) => endpoint.region?.toLowerCase() === region.toLowerCase() && endpoint.interface === from)
  if (!found) return { problem: `No glance endpoint found for region ${region} and interface ${from}` }
  const url = `${found.url.replace(/\/+$/, '').replace(/\/v2$/, '')}/v2/images/${id.toLowerCase()}`
  try {
    checkUrl(url, config.glanceDownload.rules)
    return { url }
  } catch (error) {
    if (!isFault(error)) throw error
    return { problem: error.message }
  }
}

const urlOf = (image: OtherImage): string => {
  if ('problem' in image) throw badRequest(image.problem)
  return image.url
}
/** Where its bytes are. Throws badRequest for an image that cannot be had. */
export const fileOf = (image: OtherImage): string => `${urlOf(image)}/file`

/** The token that came with the request. Another process than that which was asked has none. */
export function tokenOf({ tokens }: Pick<Deps, 'tokens'>, taskId: string): string {
  const token = tokens.get(taskId)
  if (token === undefined) throw conflict('The control plane that was asked for this import has ended, and the token with it. Ask again.')
  return token
}

/** Asks the other region what the image is. Throws badRequest for what cannot be imported. */
export async function describeOther(
  ctx: Context & { signal?: AbortSignal }, { config }: Pick<Deps, 'config'>, other: OtherImage, token: string, image: Image,
): Promise<OtherFacts> {
  const { rules, properties: prefixes } = config.glanceDownload
  const { bytes } = await fetchOutgoing(urlOf(other), rules, { ...config.webBounds, maxBytes: MIB }, ctx.signal, { 'x-auth-token': token })
  const said = parsed(await buffer(bytes)), { status, size, disk_format: diskFormat, container_format: containerFormat } = said
  if (status !== 'active') throw badRequest(`Source image status should be active instead of ${String(status).slice(0, 40)}`)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw badRequest('The size of the image in the other region could not be determined.')
  if (!diskFormats.includes(diskFormat as never) || !containerFormats.includes(containerFormat as never)) {
    throw badRequest('The image in the other region is of a format that is not known here.')
  }
    const whole = { ...image, properties: { ...image.properties } }
    const copied = Object.entries(said).filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix)) && isProperty(name))
  for (const [name, value] of copied) setField(whole, name, value)
  checkBounds(boundsOf(whole), config)
  const properties = Object.fromEntries(copied) as Record<string, string>
  const hash = (name: string, length: number): string | null => {
    const value = said[name]
    return typeof value === 'string' && new RegExp(`^[0-9a-f]{${length}}$`).test(value) ? value : null
  }
  return {
    size, diskFormat: String(diskFormat), containerFormat: String(containerFormat), properties,
    md5: hash('checksum', 32), sha512: said.os_hash_algo === 'sha512' ? hash('os_hash_value', 128) : null,
  }
}

function parsed(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch { /* said below */ }
  throw badRequest('The other region answered with something other than an image.')
}

/** Whether what has come is what was described. */
export function checkOther({ size, md5, sha512 }: OtherFacts, came: { size: number, md5: string, sha512: string }): void {
  if (came.size !== size) throw badRequest(`The data has ${came.size} bytes, where the other region said ${size}.`)
  if (sha512 !== null ? came.sha512 !== sha512 : md5 !== null && came.md5 !== md5) throw badRequest('The data is not what the other region said it is: the hashes differ.')
}
