// How one service shows another over HTTP who it is and for whom it acts: the actor itself, sealed under the cloud's key, for a minute.
// User tokens are never passed on, stored or journaled.
import type { Actor } from '#base/context.ts'
import { unauthorized } from '#base/errors.ts'
import { openFernet, sealFernet, type Keyring } from '#kit/crypto/fernet.ts'

/** The header it comes in. */
export const serviceCredentialHeader = 'x-pileus-actor'

/** Long enough for a slow connection, short enough that a leaked one is worth little. */
const lifeSeconds = 60
/** How far two machines' clocks may be apart. */
const skewSeconds = 5
/** What tells these seals from tokens, which may be made with the same keys. */
const purpose = 'actor1:'

export interface ServiceCredentials {
  /** The header's value for a call of `actor`, which must name its service. */
  seal(actor: Actor): string
  /** Throws Unauthorized for anything that was not sealed by this cloud within the last minute. */
  open(sealed: string): Actor
}

/** `clock` in epoch milliseconds, for tests. */
export const serviceCredentials = (keyring: Pick<Keyring, 'keys'>, clock: () => number = Date.now): ServiceCredentials => ({
  seal(actor) {
    if (!actor.service) throw new Error('only a service has a service credential')
    return sealFernet(keyring.keys[0]!, Buffer.from(purpose + JSON.stringify(actor)), Math.floor(clock() / 1000))
  },
  open(sealed) {
    const opened = openFernet(keyring.keys, sealed)
    const age = opened ? clock() / 1000 - opened.sealedAtSeconds : NaN
    const text = opened?.payload.toString() ?? ''
    if (!(age <= lifeSeconds && age >= -skewSeconds) || !text.startsWith(purpose)) throw unauthorized('The service credential is not valid.')
    return JSON.parse(text.slice(purpose.length)) as Actor
  },
})
