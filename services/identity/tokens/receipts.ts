// Receipts: what somebody has who showed some of the methods he is bound to, to come back with the rest.
import { Fault } from '#base/errors.ts'
import { openFernet, sealFernet } from '#kit/crypto/fernet.ts'
import type { Deps } from '../deps.ts'
import type { UserRow } from '../schema.ts'

/** Thrown when the methods used do not suffice for this user. Becomes a receipt where one can come back with it, elsewhere the 401 that tells nothing. */
export class MoreMethodsNeeded extends Fault {
  readonly user: UserRow
  readonly methods: string[]
  /** The sets of which one must be complete, of those that a used method is in. */
  readonly required: string[][]
  constructor(user: UserRow, methods: string[], required: string[][]) {
    super('unauthorized', 'The request you have made requires authentication.')
    this.user = user
    this.methods = methods
    this.required = required
  }
}

/** Told apart from tokens, which the same keys seal. */
const purpose = 'receipt:'

/** The receipt that says which methods were shown, and when. */
export const sealReceipt = (deps: Deps, user: Pick<UserRow, 'id' | 'generation'>, methods: string[], issuedAtSeconds: number): string =>
  sealFernet(deps.keyring.keys[0]!, Buffer.from(purpose + JSON.stringify([user.id, Number(user.generation), methods])), issuedAtSeconds)

/** The methods a receipt of this user's stands for; undefined for one that is another's, too old or none at all. */
export async function openReceipt(deps: Deps, text: string, user: Pick<UserRow, 'id' | 'generation'>): Promise<string[] | undefined> {
  await deps.keyring.fresh()
  const opened = openFernet(deps.keyring.keys, text), said = opened?.payload.toString() ?? ''
  if (!opened || !said.startsWith(purpose) || opened.sealedAtSeconds + deps.config.receiptLifeSeconds <= deps.clock() / 1000) return undefined
  const [userId, generation, methods] = JSON.parse(said.slice(purpose.length)) as [string, number, string[]]
  return userId === user.id && generation === Number(user.generation) ? methods : undefined
}
