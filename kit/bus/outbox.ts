// The pump: carries casts from the outbox to where they are handled. Woken by commits, with a slow look through the table for what nobody
// was woken for (another process died; its transaction committed after we looked).
import { setTimeout as delay } from 'node:timers/promises'
import { explain } from '#base/errors.ts'
import { newId } from '#base/ids.ts'
import type { Store } from '#kit/store/store.ts'
import type { Settings } from './bus.ts'
import { type OutboxRow, dropClaims, giveBack, renewClaim, takeTurn, waitingAddresses } from './store.ts'

/** What the transport does with a row; 'kept' leaves it for later. Never rejects. */
export type Fate = 'done' | 'kept'

export interface Carrier {
  /** Whether this process can bring casts to the address. */
  wants(address: string): boolean
  /** Begins to bring the rows there, in their order. */
  carry(address: string, rows: OutboxRow[]): Promise<Fate>[]
  /** Rows in hand at once for an address. */
  window: number
  /** Whether taking a row is an attempt at handling it, or only at sending it. */
  counting: boolean
}

export interface Outbox {
  wake(address: string): void
  /** Ends the drain of one address, once what it has in hand is settled. */
  rest(address: string): Promise<void>
  close(): Promise<void>
}

/** Remembers that it was rung until somebody looks. */
class Bell {
  #ringing = Promise.withResolvers<void>()
  isRung = false
  get rung(): Promise<void> { return this.#ringing.promise }
  ring(): void { this.isRung = true; this.#ringing.resolve() }
  reset(): void { if (this.isRung) { this.isRung = false; this.#ringing = Promise.withResolvers() } }
}

export async function openOutbox(store: Store, settings: Settings, carrier: Carrier): Promise<Outbox> {
  const { leaseMs, scanMs, log } = settings
  const owner = settings.owner ?? newId()
  const draining = new Map<string, { bell: Bell, over: Promise<void> }>()
  const closing = new AbortController()

  if (settings.owner !== undefined) await dropClaims(store, owner)

  async function drain(address: string, bell: Bell): Promise<void> {
    const inHand = new Set<string>()
    let finished: string[] = [], troubled = false, something = Promise.withResolvers<void>()
    const heart = setInterval(() => {
      renewClaim(store, address, owner, leaseMs).catch((error: unknown) => log.warn({ address, error: explain(error) }, 'a claim on the outbox could not be renewed'))
    }, leaseMs / 3)
    try {
      for (;;) {
        // After trouble everything in hand comes back first: only so the order survives.
        const leaving = closing.signal.aborted || !carrier.wants(address)
        const room = leaving || troubled ? 0 : carrier.window - inHand.size
        const striking = finished
        finished = []
        // Whoever rings from now on may have committed after this turn has looked.
        bell.reset()
        let turn: OutboxRow[] | 'held' | 'nothing'
        try {
          turn = await takeTurn(store, address, { owner, leaseMs, finished: striking, busy: [...inHand], room, counting: carrier.counting })
        } catch (error) {
          // What is in hand goes on; a new drain would take it a second time.
          finished.push(...striking)
          log.error({ address, error: explain(error) }, 'the outbox could not be worked on')
          if (leaving && inHand.size === 0) return
          await (closing.signal.aborted ? something.promise : pause(500))
          continue
        }
        if (turn === 'nothing') return
        if (turn === 'held') {
          if (inHand.size === 0) await pause(Math.min(100, leaseMs / 3))
        } else if (turn.length > 0) {
          turn.forEach((row) => inHand.add(row.id))
          carrier.carry(address, turn).forEach((fate, i) => {
            const id = turn[i]!.id
            void fate.then((how) => {
              inHand.delete(id)
              if (how === 'done') finished.push(id)
              else troubled = true
              something.resolve()
            })
          })
        } else if (inHand.size === 0) {
          return
        }
        if (inHand.size > 0 && finished.length === 0) {
          await Promise.race([something.promise, inHand.size < carrier.window && !troubled ? bell.rung : something.promise])
          something = Promise.withResolvers<void>()
          // Whatever else settles in this very moment is struck out in the same statement.
          await new Promise(setImmediate)
        }
        if (troubled && inHand.size === 0) {
          if (closing.signal.aborted || !carrier.wants(address)) return
          await pause(500)
          troubled = false
        }
        if ((closing.signal.aborted || !carrier.wants(address)) && inHand.size === 0) return
      }
    } finally {
      clearInterval(heart)
      await giveBack(store, address, owner, finished).catch((error: unknown) => log.warn({ address, error: explain(error) }, 'a claim on the outbox could not be given back'))
    }
  }
  const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal: closing.signal }).catch(() => {})

  function wake(address: string): void {
    if (closing.signal.aborted || !carrier.wants(address)) return
    const busy = draining.get(address)
    if (busy) return busy.bell.ring()
    const bell = new Bell()
    const over = (async () => {
      do await drain(address, bell)
      while (bell.isRung && !closing.signal.aborted && carrier.wants(address))
    })().catch((error: unknown) => log.error({ address, error: explain(error) }, 'the outbox stopped unexpectedly')).finally(() => {
      draining.delete(address)
      if (bell.isRung) wake(address)
    })
    draining.set(address, { bell, over })
  }

  const scan = (): void => {
    waitingAddresses(store).then((addresses) => addresses.forEach(wake), (error: unknown) => log.warn({ error: explain(error) }, 'the outbox could not be looked through'))
  }
  const timer = setInterval(scan, scanMs)
  timer.unref()
  scan()

  return {
    wake,
    async rest(address) { await draining.get(address)?.over },
    async close() {
      clearInterval(timer)
      closing.abort()
      await Promise.all([...draining.values()].map((d) => d.over))
    },
  }
}
