// Writes a small CD image in memory: ISO 9660 with a Joliet tree beside it, which is what a config drive needs. Our own, because it saves a process, temporary
// copies of users' secrets and a package. Formats: ECMA-119 and the Joliet specification.

const sector = 2048
/** Empty sectors at the end, as every writer leaves: some readers look at the first 68 KiB whole and give up on a shorter CD, drives read ahead past the last file. */
const trailing = 150
const pad = (bytes: number): number => Math.ceil(bytes / sector) * sector

interface Folder { kind: 'folder', name: string, entries: Map<string, Folder | File>, parent: Folder | undefined }
interface File { kind: 'file', name: string, bytes: Uint8Array, at: number }

/** One of the two trees: how it spells names, and where its folders lie. */
interface Tree { spell: (entry: Folder | File, sibling: number) => Buffer, at: Map<Folder, { sector: number, bytes: number }>, folders: Folder[], spelled: Map<Folder | File, Buffer> }

const both16 = (n: number): Buffer => { const b = Buffer.alloc(4); b.writeUInt16LE(n, 0); b.writeUInt16BE(n, 2); return b }
const both32 = (n: number): Buffer => { const b = Buffer.alloc(8); b.writeUInt32LE(n, 0); b.writeUInt32BE(n, 4); return b }
const wide = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16()

function plant(files: Record<string, Uint8Array>): Folder {
  const root: Folder = { kind: 'folder', name: '', entries: new Map(), parent: undefined }
  for (const [path, bytes] of Object.entries(files)) {
    const parts = path.split('/').filter(part => part !== '')
    const name = parts.pop()
    if (name === undefined || [...parts, name].some(part => part === '.' || part === '..' || part.length > 64)) throw new Error(`not a path for a CD: ${path}`)
    let folder = root
    for (const part of parts) {
      const next = folder.entries.get(part) ?? { kind: 'folder' as const, name: part, entries: new Map(), parent: folder }
      if (next.kind === 'file') throw new Error(`a file and a folder of one name: ${path}`)
      folder.entries.set(part, next)
      folder = next
    }
    if (folder.entries.has(name)) throw new Error(`twice the same name: ${path}`)
    folder.entries.set(name, { kind: 'file', name, bytes, at: 0 })
  }
  return root
}

/** Folders in the order of the path table: by depth, then parent, then name. */
function byDepth(root: Folder, spelled: Map<Folder | File, Buffer>): Folder[] {
  const order = [root]
  for (const folder of order) order.push(...sorted(folder, spelled).filter(entry => entry.kind === 'folder'))
  return order
}
const sorted = (folder: Folder, spelled: Map<Folder | File, Buffer>): (Folder | File)[] =>
  [...folder.entries.values()].sort((a, b) => Buffer.compare(spelled.get(a) as Buffer, spelled.get(b) as Buffer))

const stamp = (at: Date): Buffer =>
  Buffer.from([at.getUTCFullYear() - 1900, at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds(), 0])

function entryBytes(name: Buffer, at: number, bytes: number, folder: boolean, when: Buffer): Buffer {
  const length = 33 + name.length + (name.length % 2 === 0 ? 1 : 0)
  const record = Buffer.alloc(length)
  record[0] = length
  both32(at).copy(record, 2)
  both32(bytes).copy(record, 10)
  when.copy(record, 18)
  record[25] = folder ? 2 : 0
  both16(1).copy(record, 28)
  record[32] = name.length
  name.copy(record, 33)
  return record
}

/** A folder's extent: itself, its parent, its entries; a record never crosses a sector. */
function folderBytes(folder: Folder, tree: Tree, when: Buffer): Buffer {
  const place = (f: Folder): { sector: number, bytes: number } => tree.at.get(f) ?? { sector: 0, bytes: 0 }
  const self = place(folder), up = place(folder.parent ?? folder)
  const records = [entryBytes(Buffer.from([0]), self.sector, self.bytes, true, when), entryBytes(Buffer.from([1]), up.sector, up.bytes, true, when)]
  for (const entry of sorted(folder, tree.spelled)) {
    const at = entry.kind === 'file' ? { sector: entry.at, bytes: entry.bytes.length } : place(entry)
    records.push(entryBytes(tree.spelled.get(entry) as Buffer, at.sector, at.bytes, entry.kind === 'folder', when))
  }
  const parts: Buffer[] = []
  let used = 0
  for (const record of records) {
    const left = sector - used % sector
    if (record.length > left) { parts.push(Buffer.alloc(left)); used += left }
    parts.push(record)
    used += record.length
  }
  return Buffer.concat(parts, pad(used))
}

function pathTable(tree: Tree, bigEndian: boolean): Buffer {
  return Buffer.concat(tree.folders.map(folder => {
    const name = folder.parent ? tree.spelled.get(folder) as Buffer : Buffer.from([0])
    const record = Buffer.alloc(8 + name.length + name.length % 2)
    const parent = tree.folders.indexOf(folder.parent ?? folder) + 1
    record[0] = name.length
    if (bigEndian) { record.writeUInt32BE(tree.at.get(folder)?.sector ?? 0, 2); record.writeUInt16BE(parent, 6) }
    else { record.writeUInt32LE(tree.at.get(folder)?.sector ?? 0, 2); record.writeUInt16LE(parent, 6) }
    name.copy(record, 8)
    return record
  }))
}

interface Volume { joliet: boolean, label: string, sectors: number, tableBytes: number, tableLittle: number, tableBig: number, rootRecord: Buffer, at: Date }

function descriptor(v: Volume): Buffer {
  const d = Buffer.alloc(sector)
  const text = (offset: number, length: number, value: string): void => {
    if (v.joliet) Buffer.concat([wide(value), wide(' '.repeat(length))]).copy(d, offset, 0, length - length % 2)
    else d.write(value.padEnd(length).slice(0, length), offset, 'latin1')
  }
  d[0] = v.joliet ? 2 : 1
  d.write('CD001', 1, 'latin1')
  d[6] = 1
  text(8, 32, '')
  text(40, 32, v.label)
  both32(v.sectors).copy(d, 80)
  if (v.joliet) d.write('%/E', 88, 'latin1') // UCS-2 level 3
  both16(1).copy(d, 120)
  both16(1).copy(d, 124)
  both16(sector).copy(d, 128)
  both32(v.tableBytes).copy(d, 132)
  d.writeUInt32LE(v.tableLittle, 140)
  d.writeUInt32BE(v.tableBig, 148)
  v.rootRecord.copy(d, 156)
  for (const [offset, length] of [[190, 128], [318, 128], [446, 128], [574, 128], [702, 37], [739, 37], [776, 37]] as const) text(offset, length, '')
  const when = `${v.at.toISOString().replace(/\D/g, '').slice(0, 16)}`
  for (const offset of [813, 830]) d.write(when, offset, 'latin1')
  for (const offset of [847, 864]) d.write('0'.repeat(16), offset, 'latin1')
  d[881] = 1
  return d
}

/**
 * The bytes of a CD that holds `files` (paths with '/'), named `label`.
 * Linux, Windows and the BSDs read the Joliet names; the plain tree carries lower case too, as config drives do elsewhere.
 */
export function isoImage(files: Record<string, Uint8Array>, label: string, at: Date = new Date()): Buffer {
  const root = plant(files)
  const when = stamp(at)
  // 31 characters fit a plain name; a longer one gets a number at its end so that it stays unique.
  const plainName = (entry: Folder | File, sibling: number): Buffer => {
    const safe = entry.name.replace(/[^\x21-\x7e]|;/g, '_')
    const fits = safe.length <= 28 ? safe : `${safe.slice(0, 22)}~${sibling}`
    return Buffer.from(entry.kind === 'folder' ? fits : `${fits};1`, 'latin1')
  }
  const trees: Tree[] = [plainName, (entry: Folder | File) => wide(entry.kind === 'folder' ? entry.name : `${entry.name};1`)]
    .map(spell => ({ spell, at: new Map(), folders: [], spelled: new Map() }))
  const spellAll = (tree: Tree, folder: Folder): void => [...folder.entries.values()].forEach((entry, i) => {
    tree.spelled.set(entry, tree.spell(entry, i))
    if (entry.kind === 'folder') spellAll(tree, entry)
  })
  let next = 19 // 16 system sectors, two descriptors, the terminator
  const tables: { little: number, big: number, bytes: number }[] = []
  for (const tree of trees) {
    spellAll(tree, root)
    tree.folders = byDepth(root, tree.spelled)
    const bytes = pathTable(tree, false).length
    tables.push({ little: next, big: next + pad(bytes) / sector, bytes })
    next += 2 * pad(bytes) / sector
  }
  for (const tree of trees) for (const folder of tree.folders) {
    const bytes = folderBytes(folder, tree, when).length // where things lie does not change how long their records are
    tree.at.set(folder, { sector: next, bytes })
    next += bytes / sector
  }
  const contents: File[] = trees[0]!.folders.flatMap(folder => [...folder.entries.values()].filter(entry => entry.kind === 'file'))
  for (const file of contents) {
    file.at = file.bytes.length === 0 ? 0 : next
    next += pad(file.bytes.length) / sector
  }
  next += trailing
  const image = Buffer.alloc(next * sector)
  trees.forEach((tree, i) => {
    const table = tables[i]!, place = tree.at.get(root)!
    const rootRecord = entryBytes(Buffer.from([0]), place.sector, place.bytes, true, when)
    descriptor({ joliet: i === 1, label, sectors: next, tableBytes: table.bytes, tableLittle: table.little, tableBig: table.big, rootRecord, at }).copy(image, (16 + i) * sector)
    pathTable(tree, false).copy(image, table.little * sector)
    pathTable(tree, true).copy(image, table.big * sector)
    for (const folder of tree.folders) folderBytes(folder, tree, when).copy(image, tree.at.get(folder)!.sector * sector)
  })
  Buffer.from([255, ...Buffer.from('CD001'), 1]).copy(image, 18 * sector)
  for (const file of contents) image.set(file.bytes, file.at * sector)
  return image
}
