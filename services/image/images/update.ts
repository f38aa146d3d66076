// https://docs.openstack.org/api-ref/image/v2/#update-image: JSON patches in two dialects, told apart by their media types.
import { badRequest, conflict, Fault, forbidden } from '#base/errors.ts'
import type { Actor } from '#base/context.ts'
import { Type } from '#kit/http/schema.ts'
import { operation } from '../deps.ts'
import { boundsOf, checkBounds, isCore, setField, writable } from './fields.ts'
import * as policy from './policy.ts'
import * as images from './store.ts'
import { imageTarget } from './target.ts'
import { imageView } from './view.ts'

const patchType = 'application/openstack-images-v2.1-json-patch'
/** Names the operation by a member of its own, `{ replace: '/name', value }`, and its `add` does not replace. */
const olderType = 'application/openstack-images-v2.0-json-patch'
const ops = ['add', 'remove', 'replace'] as const
type Op = (typeof ops)[number]
interface Change { op: Op, name: string, value?: unknown }

const available = `It must be one of the following: ${ops.join(', ')}.`
const isOp = (op: unknown): op is Op => ops.includes(op as Op)

function opAndPath(entry: Record<string, unknown>, older: boolean): { op: Op, path: unknown } {
  if (older) {
    const named = ops.filter((op) => Object.hasOwn(entry, op))
    if (named.length !== 1) throw badRequest(`Operation objects must contain ${named.length === 0 ? 'exactly' : 'only'} one member named "add", "remove", or "replace".`)
    return { op: named[0]!, path: entry[named[0]!] }
  }
  if (entry.op === undefined) throw badRequest(`Unable to find \`op\` in JSON Schema change. ${available}`)
  if (!isOp(entry.op)) throw badRequest(`Invalid operation: \`${String(entry.op).slice(0, 40)}\`. ${available}`)
  if (entry.path === undefined) throw badRequest("Unable to find 'path' in JSON Schema change")
  return { op: entry.op, path: entry.path }
}

/** The parts of a JSON pointer, the limited kind that images have. */
function partsOf(pointer: unknown): string[] {
  const shown = String(pointer).slice(0, 80)
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) throw badRequest(`Pointer \`${shown}\` does not start with "/".`)
  const rest = pointer.slice(1)
  if (/\/\s*\//.test(rest)) throw badRequest(`Pointer \`${shown}\` contains adjacent "/".`)
  if (rest.trim() === '' || rest.trim() === '/' || rest.startsWith('/')) throw badRequest(`Pointer \`${shown}\` does not contains valid token.`)
  if (rest.endsWith('/')) throw badRequest(`Pointer \`${shown}\` end with "/".`)
  if (/~[^01]|~$/.test(pointer)) throw badRequest(`Pointer \`${shown}\` contains "~" not part of a recognized escape sequence.`)
  return rest.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~').trim())
}

function changeOf(entry: Record<string, unknown>, older: boolean): Change {
  const { op, path } = opAndPath(entry, older), parts = partsOf(path), name = parts[0]!
  // Locations are a list, whose places may be named; the rest has no inside.
  if (parts.length !== (name === 'locations' && op !== 'replace' ? 2 : 1)) throw badRequest(`Invalid JSON pointer for this resource: '/${parts.join('/').slice(0, 80)}'`)
  if (op !== 'remove' && !Object.hasOwn(entry, 'value')) throw badRequest(`Operation "${op}" requires a member named "value".`)
  if (name === 'id') throw forbidden("Attribute 'id' is read-only.")
  if (name === 'locations') throw forbidden(`It's not allowed to ${op} locations if locations are invisible.`)
  writable(name)
  return { op, name, value: entry.value }
}

function apply(image: images.Image, { op, name, value }: Change, older: boolean, actor: Actor): void {
  const known = isCore(name) || Object.hasOwn(image.properties, name)
  if (op === 'remove') {
    if (isCore(name)) throw forbidden(`Property ${name} may not be removed.`)
    if (!known) throw conflict(`Property ${name} does not exist.`)
    delete image.properties[name]
    return
  }
  if (op === 'replace' && !known) throw conflict(`Property ${name} does not exist.`)
  if (op === 'add' && known && older) throw conflict(`Property ${name} already present.`)
  if ((name === 'disk_format' || name === 'container_format') && image.status !== 'queued') throw forbidden(`Attribute ${name} can be only replaced for a queued image.`)
  if (name === 'owner' && !policy.publicize.allows(actor)) throw forbidden("Owner can't be updated by non admin.")
  setField(image, name, value)
}

export const updateImage = operation({
  name: 'updateImage', method: 'PATCH', path: '/images/{image_id}', summary: 'Change attributes by a JSON patch.',
  consumes: [patchType, olderType],
  access: policy.changeImage, target: imageTarget, body: Type.Array(Type.Unsafe<Record<string, unknown>>({ type: 'object' }), { maxItems: 1000 }),
  faults: ['conflict', 'overQuota'],
  async handle(ctx, { target, body, headers }, { store, config }) {
    const type = String(headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase(), older = type === olderType
    if (!older && type !== patchType) {
      throw new Fault('unsupportedMediaType', `Image PATCH expects Content-Type one of: ${olderType}, ${patchType}`, { headers: { 'accept-patch': `${olderType}, ${patchType}` } })
    }
    // The whole request is understood before any of it is done.
    const changes = body.map((entry) => changeOf(entry, older))
    if (changes.length === 0) return imageView(target)
    return store.tx(async (tx) => {
      await images.lock(tx, target.id)
      const image = await images.find(tx, target.id)
      if (!image) throw imageTarget.missing({ image_id: target.id })
      const { visibility } = image
      for (const change of changes) apply(image, change, older, ctx.actor)
      checkBounds(boundsOf(image), config)
      if (image.visibility !== visibility) policy.checkVisibility(ctx.actor, image.visibility)
      await images.save(tx, image)
      return imageView((await images.find(tx, image.id))!)
    })
  },
})
