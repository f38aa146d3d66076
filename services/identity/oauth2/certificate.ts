// Who shows a TLS certificate: the mapping says of its names which user it is. https://www.rfc-editor.org/rfc/rfc8705
import type { Context } from '#base/context.ts'
import { thumbprintOf } from '#kit/http/client-certificate.ts'
import type { Deps } from '../deps.ts'
import { judged } from '../federation/judged.ts'
import * as federation from '../federation/store.ts'
import { applyRules, Unmapped, type SchemaVersion } from '../federation/rules.ts'
import * as projects from '../projects/store.ts'
import { issueTo, type Issued } from '../tokens/issue.ts'
import { requireRules, type Caller, type Shown } from '../tokens/methods.ts'
import * as users from '../users/store.ts'
import { namesOf } from './names.ts'

/** A token for the user's default project, good only beside the certificate. Every refusal is the one 401; its reason is logged. */
export const issueByCertificate = (ctx: Context, deps: Deps, userId: string, certificate: Buffer, caller: Caller): Promise<Issued> =>
  issueTo(ctx, deps, () => judged(ctx, caller.root, { userId }, 'a certificate let nobody in', async () => {
    const shown = await identified(deps, userId, certificate)
    requireRules(shown)
    return shown
  }), {}, caller)

async function identified(deps: Deps, userId: string, certificate: Buffer): Promise<Shown> {
  const { mapping, user, domain } = await deps.store.read(async (tx) => {
    const user = await users.find(tx, userId)
    return { user, mapping: await federation.findMapping(tx, deps.config.oauth2MappingId), domain: user && await projects.findDomain(tx, user.domainId) }
  })
  if (!mapping) throw new Unmapped(`there is no mapping ${deps.config.oauth2MappingId}`)
  if (!user || !domain) throw new Unmapped('there is no such user')
  const rules = { id: mapping.id, rules: JSON.parse(mapping.rules), schemaVersion: mapping.schemaVersion as SchemaVersion }
  const { id, name, email, domain: home } = applyRules(rules, namesOf(certificate)).user
  // keystone takes whatever the mapping leaves open for anybody; then every certificate would be every user's, or that of all who have its name in any domain.
  if (!id && !(name && (home?.id || home?.name))) throw new Unmapped('the mapping gives neither an id nor a name in a domain')
  const is = { id: user.id, name: user.name, email: (JSON.parse(user.extra) as { email?: unknown }).email, 'domain id': domain.id, 'domain name': domain.name }
  for (const [what, said] of Object.entries({ id, name, email, 'domain id': home?.id, 'domain name': home?.name })) {
    if (said && said !== is[what as keyof typeof is]) throw new Unmapped(`the certificate is for another ${what}`)
  }
  if (user.defaultProjectId === null) throw new Unmapped('the user has no default project')
  return { user, methods: ['oauth2_credential'], projectId: user.defaultProjectId, certificateThumbprint: thumbprintOf(certificate) }
}
