// Rotating the keys of a running cloud.
import { longestSealSeconds } from '#services/identity/deps.ts'
import { rotateCredentialKeys, type Resealed } from '#services/identity/credentials/keys-store.ts'
import { rotateKeys, type Rotated } from '#services/identity/tokens/keys-store.ts'
import type { Cloud } from './cloud.ts'

export interface RotatedKeys { tokens: Rotated, credentials: Resealed }

/** Tokens keep their worth, unless their keys are all to be forgotten. */
export async function rotateCloudKeys({ parts: { deps: { identity } }, log }: Pick<Cloud, 'parts' | 'log'>, endTokens: boolean): Promise<RotatedKeys> {
  const tokens = await rotateKeys(identity.store, { lifeSeconds: longestSealSeconds(identity.config), forgetAll: endTokens })
  await identity.keyring.refresh(true)
  const credentials = await rotateCredentialKeys(identity.store, identity.vault)
  log.info({ tokens, credentials, endTokens }, 'keys were rotated')
  return { tokens, credentials }
}
