// https://docs.openstack.org/api-ref/image/v2/#image-schemas: what clients build their models from.
import { operation } from '../deps.ts'
import { containerFormats, diskFormats } from '../images/fields.ts'
import * as policy from '../images/policy.ts'
import { documents } from '../metadefs/shapes.ts'

const text = (description: string, more: object = {}): object => ({ type: ['null', 'string'], description, maxLength: 255, ...more })
const read = { readOnly: true }
const uuid = '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$'

const image = {
  name: 'image',
  properties: {
    id: { type: 'string', description: 'An identifier for the image', pattern: uuid },
    name: text('Descriptive name for the image'),
    status: {
      type: 'string', description: 'Status of the image',
      enum: ['queued', 'saving', 'active', 'killed', 'deleted', 'uploading', 'importing', 'pending_delete', 'deactivated'], ...read,
    },
    visibility: { type: 'string', description: 'Scope of image accessibility', enum: ['community', 'public', 'private', 'shared'] },
    protected: { type: 'boolean', description: 'If true, image will not be deletable.' },
    os_hidden: { type: 'boolean', description: 'If true, image will not appear in default image list response.' },
    checksum: text('md5 hash of image contents.', { maxLength: 32, ...read }),
    os_hash_algo: text('Algorithm to calculate the os_hash_value', { maxLength: 64, ...read }),
    os_hash_value: text('Hexdigest of the image contents using the algorithm specified by the os_hash_algo', { maxLength: 128, ...read }),
    owner: text('Owner of the image'),
    size: { type: ['null', 'integer'], description: 'Size of image file in bytes', ...read },
    virtual_size: { type: ['null', 'integer'], description: 'Virtual size of image in bytes', ...read },
    container_format: { type: ['null', 'string'], description: 'Format of the container', enum: [null, ...containerFormats] },
    disk_format: { type: ['null', 'string'], description: 'Format of the disk', enum: [null, ...diskFormats] },
    created_at: { type: 'string', description: 'Date and time of image registration', ...read },
    updated_at: { type: 'string', description: 'Date and time of the last image modification', ...read },
    tags: { type: 'array', description: 'List of strings related to the image', items: { type: 'string', maxLength: 255 } },
    min_ram: { type: 'integer', description: 'Amount of ram (in MB) required to boot image.' },
    min_disk: { type: 'integer', description: 'Amount of disk space (in GB) required to boot image.' },
    self: { type: 'string', description: 'An image self url', ...read },
    file: { type: 'string', description: 'An image file url', ...read },
    schema: { type: 'string', description: 'An image schema url', ...read },
    kernel_id: text('The image whose kernel a guest of this one is booted with.', { pattern: uuid, is_base: false }),
    ramdisk_id: text('The image whose initial ram disk a guest of this one is booted with.', { pattern: uuid, is_base: false }),
    ...Object.fromEntries(Object.entries({
      instance_uuid: 'The server that this image was made of.',
      architecture: 'The processor architecture that the system inside is made for.', os_distro: 'The distribution of the system inside.',
      os_version: 'Its version.',
      description: 'What the image is, for people.', cinder_encryption_key_id: 'The key that a volume made of this image is encrypted with.',
    }).map(([name, description]) => [name, { type: 'string', description, is_base: false }])),
    cinder_encryption_key_deletion_policy: { type: 'string', description: 'Whether that key goes with the image.', enum: ['on_image_deletion', 'do_not_delete'], is_base: false },
    stores: { type: 'string', description: 'Store in which image data resides. May be a comma-separated list of store identifiers.', ...read },
  },
  additionalProperties: { type: 'string' },
  links: [{ rel: 'self', href: '{self}' }, { rel: 'enclosure', href: '{file}' }, { rel: 'describedby', href: '{schema}' }],
}
const member = {
  name: 'member',
  properties: {
    created_at: { type: 'string', description: 'Date and time of image member creation' }, image_id: { type: 'string', description: 'An identifier for the image', pattern: uuid },
    member_id: { type: 'string', description: 'An identifier for the image member (tenantId)' }, schema: { type: 'string', ...read },
    status: { type: 'string', description: 'The status of this image member', enum: ['pending', 'accepted', 'rejected'] },
    updated_at: { type: 'string', description: 'Date and time of last modification of image member' },
  },
}
const listOf = (name: string, item: object, links: object[]): object => ({
  name,
  properties: { [name]: { type: 'array', items: item }, schema: { type: 'string' }, ...(name === 'images' && { first: { type: 'string' }, next: { type: 'string' } }) },
  links,
})
const taskStub = {
  id: { type: 'string', description: 'An identifier for the task', pattern: uuid },
  type: { type: 'string', description: 'The type of task represented by this content', enum: ['import', 'api_image_import', 'location_import'] },
  status: { type: 'string', description: 'The current status of this task', enum: ['pending', 'processing', 'success', 'failure'] },
  owner: { type: 'string', description: 'An identifier for the owner of this task' },
  expires_at: { type: ['null', 'string'], description: 'Datetime when this resource would be subject to removal' },
  created_at: { type: 'string', description: 'Datetime when this resource was created' },
  updated_at: { type: 'string', description: 'Datetime when this resource was updated' }, self: { type: 'string', ...read }, schema: { type: 'string', ...read },
}
const task = {
  name: 'task',
  properties: {
    ...taskStub, input: { type: ['null', 'object'], description: 'The parameters required by task, JSON blob' },
    result: { type: ['null', 'object'], description: 'The result of current task, JSON blob' },
    message: { type: 'string', description: 'Human-readable informative message only included when appropriate (usually on failure)' },
    image_id: { type: 'string', description: 'Image associated with the task' },
    request_id: { type: 'string', description: 'Human-readable informative request-id' }, user_id: { type: 'string', description: 'User associated with the task' },
  },
}
const schemas: Record<string, object> = {
  task,
  tasks: listOf('tasks', { name: 'task', properties: taskStub }, [{ rel: 'describedby', href: '{schema}' }]),
  image, member,
  images: listOf('images', image, [{ rel: 'first', href: '{first}' }, { rel: 'next', href: '{next}' }, { rel: 'describedby', href: '{schema}' }]),
  members: listOf('members', member, [{ rel: 'describedby', href: '{schema}' }]),
}

const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1)
const show = (path: string, name: string, schema: object) => operation({
  name: `show${name}Schema`, method: 'GET', path: `/schemas/${path}`,
  summary: `The JSON schema of ${path.replace('metadefs/', 'metadata definitions: ')}.`, access: policy.listImages,
  handle: async () => schema,
})
/** One `GET /schemas/…` for each document. */
export const schemaOperations = [
  ...Object.entries(schemas).map(([word, schema]) => show(word, capital(word), schema)),
  ...Object.entries(documents).map(([word, schema]) => show(`metadefs/${word}`, `Metadef${word.split('_').map(capital).join('')}`, schema)),
]
