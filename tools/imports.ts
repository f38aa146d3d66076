// Which file imports what, read by the TypeScript compiler's own parser: type imports, dynamic ones and re-exports included.
import { dirname, join, posix } from 'node:path'
import { SyntaxKind } from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'

export interface Import {
  /** As written: `#base/ids.ts`, `./store.ts`, `kysely`, `node:fs`. */
  specifier: string
  /** The file it names, relative to the project's root; absent for packages and built-in modules. */
  file?: string
  /** Erased before the program runs: `import type`, `import('x').T`. */
  typeOnly: boolean
}

/** Every import of every TypeScript file in the project, by the importing file's path relative to the root. `virtual` files stand in for what is on the disk. */
export function readImports(root: string, virtual: Record<string, string> = {}): Map<string, Import[]> {
  const inMemory = Object.fromEntries(Object.entries(virtual).map(([file, text]) => [join(root, file), text]))
  const isVirtual = Object.keys(inMemory).length > 0
  const config = join(root, 'tsconfig.json')
  const api = new API({
    cwd: root,
    ...(isVirtual && { fs: {
      readFile: (path) => path === config ? JSON.stringify({ compilerOptions: { module: 'nodenext', noLib: true, noResolve: true, types: [] }, files: Object.keys(virtual) }) : inMemory[path] ?? null,
      fileExists: (path) => path === config || Object.hasOwn(inMemory, path),
      directoryExists: (path) => Object.keys(inMemory).some((file) => file.startsWith(`${path}/`)),
    } }),
  })
  try {
    const { program } = api.updateSnapshot({ openProjects: [config] }).getProject(config)!
    const files = program.getSourceFileNames().filter((name) => name.startsWith(`${root}/`) && !name.includes('/node_modules/') && !name.endsWith('.d.ts'))
    return new Map(files.map((path) => [path.slice(root.length + 1), program.getSourceFile(path)!.imports.map((node) => read(path.slice(root.length + 1), node))]))
  } finally {
    api.close()
  }
}

function read(from: string, node: any): Import {
  const specifier: string = node.text, statement = node.parent
  const file = specifier.startsWith('#') ? specifier.slice(1) : specifier.startsWith('.') ? posix.normalize(posix.join(dirname(from), specifier)) : undefined
  // `import type …`, `export type … from`, and `import('x').T`, whose specifier sits in a type of its own.
  const typeOnly = statement?.importClause?.phaseModifier === SyntaxKind.TypeKeyword || statement?.isTypeOnly === true || statement?.kind === SyntaxKind.LiteralType
  return { specifier, ...(file !== undefined && { file }), typeOnly }
}
