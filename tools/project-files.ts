// The project's own files, without what was fetched or built. Works without git: a release is no repository.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

const notOurs = new Set(['node_modules', '.git', '.pileus', 'dist'])

/** Paths relative to `root`, sorted. */
export async function projectFiles(root: string, under = ''): Promise<string[]> {
  const entries = await readdir(join(root, under), { withFileTypes: true })
  const lists = await Promise.all(entries.filter((entry) => !notOurs.has(entry.name)).map(async (entry) => {
    const path = under ? `${under}/${entry.name}` : entry.name
    return entry.isDirectory() ? projectFiles(root, path) : entry.isFile() ? [path] : []
  }))
  return lists.flat().sort()
}
