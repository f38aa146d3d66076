// Users' attribute `federated`: who vouches for them. https://docs.openstack.org/api-ref/identity/v3/#create-user
import type { Actor } from '#base/context.ts'
import { badRequest } from '#base/errors.ts'
import { lenient, Type, type Static } from '#kit/http/schema.ts'
import type { IdentityTx } from '../deps.ts'
import * as links from '../federation/links-store.ts'
import { field } from '../fields.ts'
import { adminRequired } from '../policy.ts'

/** A user's links, as bodies have them. */
export const federatedField = Type.Array(lenient({
  idp_id: field.id, protocols: Type.Array(lenient({ protocol_id: field.id, unique_id: Type.String({ minLength: 1, maxLength: 255 }) }), { minItems: 1, maxItems: 50 }),
}), { maxItems: 50 })
type Federated = Static<typeof federatedField>

/** What lists of users are narrowed by: all of one link. */
export const linkFilters = { idp_id: 'idpId', protocol_id: 'protocolId', unique_id: 'uniqueId' }

const linksIn = (federated: Federated): links.Link[] =>
  federated.flatMap(({ idp_id, protocols }) => protocols.map(({ protocol_id, unique_id }) => ({ idpId: idp_id, protocolId: protocol_id, uniqueId: unique_id })))

/** As it is shown: by provider. Absent where nobody vouches. */
export function federatedView(all: links.Link[]): { federated?: Federated } {
  const byProvider = Map.groupBy(all, (link) => link.idpId)
  if (byProvider.size === 0) return {}
  return { federated: [...byProvider].map(([idp_id, own]) => ({ idp_id, protocols: own.map(({ protocolId, uniqueId }) => ({ protocol_id: protocolId, unique_id: uniqueId })) })) }
}

/** Sets who vouches for a user; nothing, and an empty list, leave it as it is. Answers the links now, and whether one is gone. */
export async function setFederated(
  tx: IdentityTx, actor: Actor, user: { id: string, domainId: string }, federated: Federated | undefined,
): Promise<{ links: links.Link[], lost: boolean }> {
  const had = await links.linksOf(tx, user.id)
  if (!federated?.length) return { links: had, lost: false }
  const ways = await links.waysOf(tx, [...new Set(federated.map((f) => f.idp_id))])
  for (const { idp_id, protocols } of federated) {
    const provider = ways.get(idp_id)
    // What a provider's mapping gives to whom it vouches for is not for a domain's manager to take: he has his own domain's providers.
    if (!provider || (!adminRequired.allows(actor) && provider.domainId !== user.domainId)) throw badRequest(`Could not find Identity Provider: ${idp_id}`)
    for (const { protocol_id } of protocols) {
      if (!provider.protocols.has(protocol_id)) throw badRequest(`Could not find federated protocol ${protocol_id} for Identity Provider: ${idp_id}.`)
    }
  }
  const wanted = linksIn(federated)
  await links.removeLinksOf(tx, user.id)
  await links.addLinks(tx, user.id, wanted)
  return { links: wanted, lost: had.some((h) => !wanted.some((w) => w.idpId === h.idpId && w.protocolId === h.protocolId && w.uniqueId === h.uniqueId)) }
}
