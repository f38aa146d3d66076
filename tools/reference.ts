// Writes docs/reference/ from the lists of operations: `npm run reference`. A test compares what is committed with what the lists say.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { faultsOf, statusOf } from '#kit/http/faults.ts'
import type { Operation } from '#kit/http/operation.ts'
import { versionNumber, type VersionedSchema } from '#kit/http/schema.ts'
import type { ServiceHttp } from '#kit/http/service.ts'
import { services } from '#services/index.ts'

const made = '<!-- Made by tools/reference.ts from the lists of operations; changes here are lost. -->\n'

/** The pages by file name. */
export function referencePages(of: ServiceHttp[]): Map<string, string> {
  return new Map([
    ['README.md', index(of)], ['policies.md', policies(of)],
    ...of.map((service) => [`${service.name}.md`, page(service)] as const),
  ])
}

const open = (service: ServiceHttp): Operation[] => service.operations.filter((op) => !op.internal)
const pathOf = (service: ServiceHttp, op: Operation): string => `${service.mount}${op.atRoot ? '' : service.prefixes[0] ?? ''}${op.path}`.replace(/(.)\/$/, '$1')
const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``
/** In oslo.policy's words; the two that are only a sign are spelled out. */
const ruleOf = (op: Operation): string => op.access.text === '@' ? 'anybody' : op.access.text === '' ? 'any valid token' : code(op.access.text)

function index(of: ServiceHttp[]): string {
  const rows = of.map((s) => `| [${s.name}](${s.name}.md) | ${code(s.mount)} | ${open(s).length} | ${s.microversions ? `${s.microversions.min} to ${s.microversions.max}` : ''} |`)
  return `${made}
# Reference

What the API offers, as the code itself tells it. A running cloud tells the same, with every schema, at \`/openapi.json\`.
[policies.md](policies.md) shows the operations by who may use them. Faults are what an operation refuses with by itself; anybody's are 406 for a microversion that is not spoken, 429 for too much at once and
503 while the database is away, each in the service's own envelope.

| Service | Mounted at | Operations | Microversions |
|---|---|---|---|
${rows.join('\n')}
`
}

/** `/servers/{server_id}/action` → `servers`: what a page's sections are made of. */
const nounOf = (op: Operation): string => op.atRoot ? 'versions' : op.path.split('/').find((part) => part !== '' && !part.startsWith('{')) ?? 'root'

function page(service: ServiceHttp): string {
  const newest = service.microversions ? versionNumber(service.microversions.max) : 0
  const sections = [...Map.groupBy(open(service), nounOf)].map(([noun, list]) => `## ${noun}\n\n${list.map((op) => entry(service, op, newest)).join('\n\n')}\n`)
  const about = [
    `Below ${service.prefixes.map((prefix) => code(service.mount + prefix)).join(' or ')}.`,
    ...(service.microversions ? [`Microversions ${service.microversions.min} to ${service.microversions.max}; fields are those of the newest.`] : []),
  ]
  return `${made}\n# ${service.name}\n\n${about.join(' ')}\n\n${sections.join('\n')}`
}

function entry(service: ServiceHttp, op: Operation, newest: number): string {
  const versions = [op.since !== undefined && `from ${op.since}`, op.until !== undefined && `up to ${op.until}`].filter(Boolean).join(' ')
  const body = op.streams ? 'bytes' : fieldsOf(op.bodySchema, newest)
  const faults = [...new Set(faultsOf(op).map((kind) => statusOf(service, kind)))].sort()
  const facts = [
    `Who: ${ruleOf(op)}.`, ...(fieldsOf(op.querySchema, newest) ? [`Query: ${fieldsOf(op.querySchema, newest)}.`] : []), ...(body ? [`Body: ${body}.`] : []),
    ...(op.status !== undefined ? [`Answers ${op.status}.`] : []), ...(faults.length > 0 ? [`Faults: ${faults.join(', ')}.`] : []), ...(versions ? [`Microversions ${versions}.`] : []),
  ]
  return `**${code(`${op.method} ${pathOf(service, op)}`)}**${op.action !== undefined ? ` with ${code(op.action)}` : ''}: ${op.name}\n\n${op.summary} ${facts.join(' ')}`
}

/** Names of an object's fields, a lone envelope opened (`server: name, flavorRef …`); a question mark for those that may be left out. */
function fieldsOf(schema: VersionedSchema | undefined, newest: number): string {
  if (!schema) return ''
  const names = (shape: any): string => Object.keys(shape.properties ?? {}).map((name) => code(name + (shape.required?.includes(name) ? '' : '?'))).join(', ')
  const shape = schema.shapeAt(newest) as any
  const keys = Object.keys(shape.properties ?? {})
  const inner = keys.length === 1 ? shape.properties[keys[0]!] : undefined
  return inner?.properties ? `${code(keys[0]!)} of ${names(inner)}` : names(shape) || (shape.type === 'null' ? code('null') : shape.type ? `one ${shape.type}` : '')
}

function policies(of: ServiceHttp[]): string {
  const all = of.flatMap((service) => open(service).map((op) => ({ service, op })))
  const groups = [...Map.groupBy(all, ({ op }) => ruleOf(op))].sort(([a], [b]) => a < b ? -1 : 1)
  const sections = groups.map(([rule, list]) => {
    const lines = of.flatMap((service) => {
      const names = list.filter((l) => l.service === service).map((l) => l.op.name)
      return names.length > 0 ? [`- ${service.name}: ${names.join(', ')}`] : []
    })
    return `## ${rule}\n\n${lines.join('\n')}\n`
  })
  return `${made}
# Policies

Who may use which operation, in oslo.policy's words. A role implies the lesser ones: admin, manager, member, reader. What a caller may not even see answers 404.

${sections.join('\n')}`
}

/** Writes the pages; others in the folder go. */
export async function writeReference(dir: string): Promise<void> {
  const pages = referencePages(services.map((s) => s.http))
  await mkdir(dir, { recursive: true })
  for (const name of await readdir(dir)) if (!pages.has(name)) await rm(join(dir, name), { recursive: true })
  await Promise.all([...pages].map(([name, text]) => writeFile(join(dir, name), text)))
}

if (import.meta.main) await writeReference(join(import.meta.dirname, '../docs/reference'))
