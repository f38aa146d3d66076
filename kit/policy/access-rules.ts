// Access rules: the only requests that the token of an application credential may be used for, in keystonemiddleware's notation.
import type { AccessRule } from '#base/context.ts'

type Part = 'segment' | 'any' | { text: string }

/** `*` and `{name}` stand for one segment, `**` for any number of them. Whatever else is in a path stands for itself. */
const partsOf = (path: string): Part[] => (path.match(/\{[^}]*\}|\*\*|\*|[^{*]+|\{/g) ?? []).map((part) => {
  if (part === '**') return 'any'
  const isName = part.startsWith('{') && part.length > 1
  return part === '*' || isName ? 'segment' : { text: part }
})

/** In time bounded by the two lengths, whatever pattern somebody thought up: part by part, the places in the path that it may end at. */
function matches(rule: string, path: string): boolean {
  let ends = new Uint8Array(path.length + 1)
  ends[0] = 1
  for (const part of partsOf(rule)) {
    const next = new Uint8Array(path.length + 1)
    for (let at = 0; at <= path.length; at++) {
      if (typeof part === 'object') {
        if (ends[at] && path.startsWith(part.text, at)) next[at + part.text.length] = 1
      } else if (part === 'any') next[at] = ends[at]! | (at > 0 ? next[at - 1]! : 0)
      else if (at > 0 && path[at - 1] !== '/') next[at] = ends[at - 1]! | next[at - 1]!
    }
    ends = next
  }
  return ends[path.length] === 1
}

/** Whether a rule speaks of this request. `paths` are the ways to write its path: from the server's root, and from the service's. */
export function allowedByRules(rules: readonly AccessRule[], request: { serviceTypes: readonly string[], method: string, paths: readonly string[] }): boolean {
  if (request.paths.some((path) => path.length > 4096)) return false
  // Routers read these as the end of the path; a pattern would read on.
  if (request.paths.some((path) => /[#;\\]|\/\/|\/\.\.?(\/|$)/.test(path))) return false
  const withoutSlash = (path: string): string => path.replace(/(.)\/+$/, '$1')
  const paths = request.paths.map(withoutSlash)
  return rules.some((rule) => rule.method === request.method && request.serviceTypes.includes(rule.service)
    && paths.some((path) => matches(withoutSlash(rule.path), path)))
}
